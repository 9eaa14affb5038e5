"use strict";
// A part that scrolls sideways can be reached by the keyboard, and one that does not is no stop on its way.
const scrolling = document.querySelectorAll(".scroll");

function markScrolling() {
  for (const part of scrolling) part.tabIndex = part.scrollWidth > part.clientWidth ? 0 : -1;
}

addEventListener("resize", markScrolling);
addEventListener("toggle", markScrolling, true); // a table that is opened
markScrolling();
