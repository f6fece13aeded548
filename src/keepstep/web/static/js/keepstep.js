// What all pages share: the menu of small screens, light or dark, dialogs, copying, select all.
(() => {
  "use strict";

  const on = (type, selector, act) =>
    document.addEventListener(type, (event) => {
      const found = event.target instanceof Element && event.target.closest(selector);
      if (found) act(found, event);
    });

  on("click", "[data-menu]", (button) => {
    const open = document.body.classList.toggle("menu-open");
    button.setAttribute("aria-expanded", String(open));
  });

  on("click", "[data-theme-button]", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* only for this page */ }
  });

  // <button data-opens="id"> opens the <dialog id="id">; [data-closes] within closes it.
  on("click", "[data-opens]", (button) => document.getElementById(button.dataset.opens).showModal());
  on("click", "[data-closes]", (button) => button.closest("dialog").close());

  // <button data-copies="id"> copies what the element shows or holds.
  on("click", "[data-copies]", async (button) => {
    const source = document.getElementById(button.dataset.copies);
    const text = "value" in source ? source.value : source.textContent;
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else { source.select(); document.execCommand("copy"); }
    const words = button.querySelector("[data-copied]");
    if (words) words.textContent = words.dataset.copied;
  });

  // <input type="checkbox" data-all="name"> switches all boxes of that name.
  on("change", "[data-all]", (box) => {
    for (const each of document.getElementsByName(box.dataset.all)) each.checked = box.checked;
    box.dispatchEvent(new Event("selection", { bubbles: true }));
  });

  // <form data-submits> is sent as soon as one of its choices is changed.
  on("change", "form[data-submits]", (form) => form.requestSubmit());

  // <form data-asks="words"> asks before it is sent.
  on("submit", "form[data-asks]", (form, event) => {
    if (!window.confirm(form.dataset.asks)) event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.body.classList.remove("menu-open");
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      const search = document.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); }
    }
  });
})();
