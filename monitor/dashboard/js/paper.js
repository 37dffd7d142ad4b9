// What a printer is given: the colours of day, and whatever is folded unfolded; afterwards the screen is as it was.

const root = document.documentElement;
let was = null;

export function readyForPaper() {
  addEventListener("beforeprint", () => {
    was = { theme: root.dataset.theme, folded: [...document.querySelectorAll("details:not([open])")] };
    root.dataset.theme = "light";
    for (const one of was.folded) one.open = true;
  });
  addEventListener("afterprint", () => {
    if (!was) return;
    root.dataset.theme = was.theme;
    for (const one of was.folded) one.open = false;
    was = null;
  });
}
