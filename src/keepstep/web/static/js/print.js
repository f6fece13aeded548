// The printed agenda: its button, which needs this script, is shown and opens the print dialog.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("[data-prints]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
})();
