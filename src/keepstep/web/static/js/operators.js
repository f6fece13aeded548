// The list: what acts on a selection can be pressed only while there is one.
(() => {
  "use strict";
  const update = () => {
    for (const form of document.querySelectorAll("[data-selection]")) {
      const some = form.querySelector("input[name=email]:checked, [data-everything]:checked");
      for (const each of form.querySelectorAll("[data-needs-selection]")) each.disabled = !some;
    }
  };
  for (const type of ["change", "selection", "htmx:afterSwap"]) document.addEventListener(type, update);
  update();
})();
