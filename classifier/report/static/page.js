"use strict";
// Draws the charts, all of them for print, and leads from a dot to its evidence.
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

  const keep = async (view, name) => {
    const link = document.createElement("a");
    // On paper there is no text colour to take over.
    const drawn = (await view.toSVG()).replaceAll(ink, "black");
    link.href = URL.createObjectURL(new Blob([drawn], { type: "image/svg+xml" }));
    link.download = `${name}.svg`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const draw = async (place) => {
    const spec = JSON.parse(place.nextElementSibling.textContent);
    const { view } = await vegaEmbed(place, spec, { renderer: "svg", actions: false, config });
    view.addEventListener("click", follow);
    const save = place.closest("figure").querySelector("button");
    save.hidden = false;
    save.addEventListener("click", () => keep(view, save.dataset.name));
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
    places.filter((place) => !place.childElementCount).forEach(draw);
  });
})();
