// The theme's switches of the navigation have no name that a screen reader could read.
document.addEventListener("DOMContentLoaded", () => {
  for (const sign of document.querySelectorAll("summary > .toctree-toggle")) {
    sign.parentElement.setAttribute("aria-label", "Show or hide the pages below");
  }
});
