"use strict";
// Draws the charts, opens folded tables for print, and leads from a dot to its evidence.
(() => {
  const ink = "currentColor";
  const faint = "#7f7f7f33";
  const config = {
    background: "transparent",
    font: "system-ui, sans-serif",
    view: { stroke: null },
    axis: {
      labelColor: ink, titleColor: ink, gridColor: faint, domainColor: faint, tickColor: faint,
      labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
    },
    legend: { labelColor: ink, titleColor: ink, labelFontSize: 12, symbolSize: 80 },
    title: { color: ink },
    text: { fill: ink },
  };

  const follow = (_event, item) => {
    const link = item && item.datum && item.datum.link;
    if (link && document.getElementById("evidence")) {
      location.hash = link;
    }
  };

  const draw = async (place) => {
    const spec = JSON.parse(place.nextElementSibling.textContent);
    const actions = { export: true, source: false, compiled: false, editor: false };
    const result = await vegaEmbed(place, spec, { renderer: "svg", actions, config, loader: { http: {} } });
    result.view.addEventListener("click", follow);
  };

  const places = [...document.querySelectorAll("[data-chart]")];
  if (places.length) {
    // Charts far down the page are drawn when someone comes near, so that the page opens at once.
    const watcher = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((one) => one.isIntersecting)) {
        watcher.unobserve(entry.target);
        draw(entry.target);
      }
    }, { rootMargin: "1200px" });
    places.forEach((place) => watcher.observe(place));
  }

  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((one) => { one.open = true; });
    places.filter((place) => !place.childElementCount).forEach(draw);
  });
})();
