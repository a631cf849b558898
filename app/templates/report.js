// Draws the plots in the colours of the style sheet, and again when the reader switches between light and dark.
(() => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();

  const sankey = (trace) => {
    const nodes = trace.node.customdata.map(colour);
    return {
      ...trace,
      textfont: { color: colour("ink"), size: 13 },
      node: { ...trace.node, color: nodes },
      link: { ...trace.link, color: trace.link.source.map((place) => `${nodes[place]}60`) },
    };
  };

  const painted = (trace) => {
    if (trace.type === "sankey") return sankey(trace);
    const fill = colour(trace.meta);
    return { ...trace, fillcolor: fill, line: { ...trace.line, color: fill }, marker: { ...trace.marker, color: fill } };
  };

  // a sankey has no axes, and plotly stumbles over an axis that is undefined
  const axes = (layout) => Object.fromEntries(["xaxis", "yaxis"].filter((name) => layout[name]).map((name) =>
    [name, { ...layout[name], gridcolor: colour("rule"), linecolor: colour("rule"), automargin: true }]));

  // a finger that moves over a plot scrolls the page
  const coarse = matchMedia("(pointer: coarse)").matches;

  const themed = (layout) => ({
    ...layout,
    dragmode: coarse ? false : "zoom",
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { ...layout.font, color: colour("ink") },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("muted"), activecolor: colour("ink") },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("rule"), font: { color: colour("ink") } },
    ...axes(layout),
  });

  const config = (figure) => ({
    responsive: true,
    displaylogo: false,
    displayModeBar: figure.layout.xaxis && !coarse ? "hover" : false,
    modeBarButtons: [["resetScale2d", "toImage"]],
  });

  const draw = (plot) => {
    const figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
    Plotly.react(plot, figure.data.map(painted), themed(figure.layout), config(figure));
  };

  document.querySelectorAll("select[data-plot]").forEach((choice) => {
    const show = () => {
      const plot = document.getElementById(choice.dataset.plot);
      plot.dataset.figure = choice.value;
      plot.setAttribute("aria-label", choice.selectedOptions[0].dataset.label);
      draw(plot);
    };
    choice.addEventListener("change", show);
  });

  const drawAll = () => document.querySelectorAll(".plot").forEach(draw);
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
