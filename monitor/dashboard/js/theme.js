// Light or dark before the first paint: the wall is dark, other screens follow the device, unless this device was told otherwise.
(() => {
  const asked = new URLSearchParams(location.search);
  const wall = asked.has("wall");
  const room = asked.has("room");   // inside a treatment room it is always night
  const daylight = matchMedia("(prefers-color-scheme: light)");
  const choose = () => {
    const chosen = asked.get("theme") ?? localStorage.getItem("theme");
    document.documentElement.dataset.theme = room ? "night" : chosen || (!wall && daylight.matches ? "light" : "dark");
  };
  document.documentElement.dataset.mode = wall || room ? "wall" : "station";
  daylight.addEventListener("change", choose);
  addEventListener("storage", choose);
  choose();
})();
