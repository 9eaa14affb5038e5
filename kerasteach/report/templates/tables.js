"use strict";
// Tables: a click saves the CSV file itself instead of its compressed form, where the browser can unpack it.
async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).blob();
}

if ("DecompressionStream" in window) {
  for (const link of document.querySelectorAll("a.csv")) {
    link.textContent = link.textContent.replace(" (compressed)", "");
    link.addEventListener("click", async (event) => {
      if (link.href.startsWith("blob:")) return;
      event.preventDefault();
      const file = await unpack(link.href.split(",")[1]);
      link.href = URL.createObjectURL(new Blob([file], { type: "text/csv" }));
      link.download = link.download.replace(".gz", "");
      link.click();
    });
  }
}
