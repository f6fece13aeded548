// Shows only the fields of the way of signing in that is chosen.
(() => {
  "use strict";
  const choice = document.querySelector("[data-auth] select[name=auth]");
  const show = () => {
    for (const part of document.querySelectorAll("[data-for]")) {
      part.hidden = !part.dataset.for.split(" ").includes(choice.value);
    }
  };
  if (choice) { choice.addEventListener("change", show); show(); }
})();
