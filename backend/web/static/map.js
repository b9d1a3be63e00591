// The map of records: points on a canvas, to move, to zoom, to draw around. The table on the page
// and the list of records say the same without it.
const map = document.getElementById("map");
const canvas = document.getElementById("points");
const place = map.dataset.place;
const RADIUS = 4;
const REACH = 10; // pixels around the pointer within which a point is meant
// Okabe and Ito 2008: told apart with every kind of colour vision; shapes tell the same.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800"];
const NONE = "#8a94a0";
const SHAPES = [
  d3.symbolCircle, d3.symbolTriangle, d3.symbolSquare, d3.symbolDiamond, d3.symbolCross,
  d3.symbolStar, d3.symbolWye,
];
const paths = SHAPES.map((shape) => new Path2D(d3.symbol(shape, 40)()));
const dark = window.matchMedia("(prefers-color-scheme: dark)");
// Without the end of the scale that the background swallows.
const doubtColour = (value) => d3.interpolateCividis(dark.matches ? 0.45 + 0.55 * value : 0.88 * value);

let points = null;
let tree = null;
let moved = d3.zoomIdentity;
let size = [0, 0];
let isDrawing = false; // what dragging does
let lasso = null;
let chosen = new Set();
let over = -1;

const byId = (name) => document.getElementById(name);
const wordsOf = new Map();

function scaled(index) {
  const half = Math.min(...size) / 2 - 12;
  return [size[0] / 2 + points.x[index] * half, size[1] / 2 - points.y[index] * half];
}

const seen = (index) => moved.apply(scaled(index));

function lookOf(index) {
  const by = byId("colour").value;
  if (by === "doubts") return { colour: doubtColour(points.doubts[index]), path: paths[0] };
  const code = points[by][index];
  if (code < 0) return { colour: NONE, path: paths[0], isFaint: true };
  return { colour: COLOURS[code % COLOURS.length], path: paths[code % paths.length] };
}

function paint() {
  const ratio = window.devicePixelRatio || 1;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, ...size);
  for (const index of points.ids.keys()) {
    const [x, y] = seen(index);
    if (x < -RADIUS || y < -RADIUS || x > size[0] + RADIUS || y > size[1] + RADIUS) continue;
    const { colour, path, isFaint } = lookOf(index);
    pen.setTransform(ratio, 0, 0, ratio, x * ratio, y * ratio);
    pen.globalAlpha = chosen.size && !chosen.has(index) ? 0.15 : isFaint ? 0.4 : 0.85;
    pen.fillStyle = colour;
    pen.fill(path);
    if (index === over) pen.stroke(path);
  }
  pen.globalAlpha = 1;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (lasso) paintLasso(pen);
}

function paintLasso(pen) {
  const style = getComputedStyle(canvas);
  pen.beginPath();
  lasso.forEach(([x, y], step) => (step ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
  pen.strokeStyle = style.getPropertyValue("--accent");
  pen.lineWidth = 2;
  pen.stroke();
  pen.globalAlpha = 0.12;
  pen.fillStyle = style.getPropertyValue("--accent");
  pen.fill();
  pen.globalAlpha = 1;
}

let isPainting = false;
function paintSoon() {
  if (isPainting) return;
  isPainting = true;
  requestAnimationFrame(() => {
    isPainting = false;
    paint();
  });
}

function fit() {
  const ratio = window.devicePixelRatio || 1;
  size = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = size[0] * ratio;
  canvas.height = size[1] * ratio;
  canvas.getContext("2d").strokeStyle = getComputedStyle(canvas).color;
  tree = d3.quadtree([...points.ids.keys()], (index) => scaled(index)[0], (index) => scaled(index)[1]);
  paintSoon();
}

// Legend
function mark(colour, path, caption) {
  const item = document.createElement("li");
  const svg = d3.select(item).append("svg").attr("width", 16).attr("height", 16);
  svg.attr("viewBox", "-8 -8 16 16").attr("aria-hidden", "true");
  svg.append("path").attr("d", path).attr("fill", colour);
  item.append(caption);
  return item;
}

function tellLegend() {
  const by = byId("colour").value;
  const circle = d3.symbol(d3.symbolCircle, 60)();
  const items =
    by === "doubts"
      ? d3.range(0, 1.01, 0.25).map((value) => {
          const ends = { 0: ` ${map.dataset.low}`, 1: ` ${map.dataset.high}` };
          return mark(doubtColour(value), circle, `${100 * value} %${ends[value] ?? ""}`);
        })
      : points.titles.map((title, code) => {
          const shape = d3.symbol(SHAPES[code % SHAPES.length], 60)();
          return mark(COLOURS[code % COLOURS.length], shape, title);
        });
  if (by === "labels") items.push(mark(NONE, circle, map.dataset.none));
  byId("legend").replaceChildren(...items);
}

// What lies under the pointer
function pointAt([x, y]) {
  const found = tree.find(...moved.invert([x, y]), REACH / moved.k);
  return found === undefined ? -1 : found;
}

function showWords(index) {
  const box = byId("words");
  over = index;
  canvas.classList.toggle("over", index >= 0);
  box.hidden = true;
  paintSoon();
  if (index < 0) return;
  const id = points.ids[index];
  if (!wordsOf.has(id)) {
    const asked = fetch(`${place}/map/points/${id}`).then((answer) => (answer.ok ? answer.json() : null));
    wordsOf.set(id, asked.catch(() => null));
  }
  wordsOf.get(id).then((words) => {
    if (!words || over !== index) return;
    box.querySelector("b").textContent = words.title;
    box.querySelector("ul").replaceChildren(
      ...words.lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
    );
    box.hidden = false;
    const [x, y] = seen(index);
    box.style.left = `${Math.max(0, Math.min(x + 14, size[0] - box.offsetWidth))}px`;
    box.style.top = `${y + 14 + box.offsetHeight > size[1] ? Math.max(0, y - 14 - box.offsetHeight) : y + 14}px`;
  });
}

// Choosing
function choose(indexes) {
  chosen = new Set(indexes);
  const form = byId("selection");
  const most = Number(form.dataset.most);
  form.hidden = chosen.size === 0;
  byId("chosen").textContent = chosen.size.toLocaleString();
  byId("too-many").hidden = chosen.size <= most;
  byId("show-list").disabled = chosen.size > most;
  form.elements.ids.value = [...chosen].map((index) => points.ids[index]).join(",");
  paintSoon();
}

function within(polygon) {
  return [...points.ids.keys()].filter((index) => d3.polygonContains(polygon, seen(index)));
}

function setMode(draws) {
  isDrawing = draws;
  canvas.classList.toggle("draws", draws);
  byId("mode-draw").setAttribute("aria-pressed", String(draws));
  byId("mode-move").setAttribute("aria-pressed", String(!draws));
}

const zoom = d3
  .zoom()
  .scaleExtent([0.8, 100])
  .filter((event) => event.type === "wheel" || !(isDrawing || event.shiftKey || event.button))
  .on("zoom", ({ transform }) => {
    moved = transform;
    byId("words").hidden = true;
    paintSoon();
  });

function listen() {
  const picture = d3.select(canvas).call(zoom);
  canvas.addEventListener("pointerdown", (event) => {
    if (!(isDrawing || event.shiftKey) || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    lasso = [d3.pointer(event, canvas)];
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = d3.pointer(event, canvas);
    if (lasso) {
      lasso.push(at);
      paintSoon();
    } else if (event.buttons === 0) {
      const index = pointAt(at);
      if (index !== over) showWords(index);
    }
  });
  canvas.addEventListener("pointerup", () => {
    if (!lasso) return;
    const drawn = lasso;
    lasso = null;
    choose(drawn.length > 2 ? within(drawn) : []);
  });
  canvas.addEventListener("pointercancel", () => {
    lasso = null;
    paintSoon();
  });
  canvas.addEventListener("pointerleave", () => showWords(-1));
  canvas.addEventListener("click", (event) => {
    if (isDrawing || event.shiftKey || event.defaultPrevented) return;
    const index = pointAt(d3.pointer(event, canvas));
    if (index >= 0) window.location.assign(`${place}/records/${points.ids[index]}`);
  });
  byId("colour").addEventListener("change", () => {
    tellLegend();
    paintSoon();
  });
  byId("mode-move").addEventListener("click", () => setMode(false));
  byId("mode-draw").addEventListener("click", () => setMode(true));
  byId("clear").addEventListener("click", () => choose([]));
  byId("zoom-in").addEventListener("click", () => picture.call(zoom.scaleBy, 1.6));
  byId("zoom-out").addEventListener("click", () => picture.call(zoom.scaleBy, 1 / 1.6));
  byId("zoom-all").addEventListener("click", () => picture.call(zoom.transform, d3.zoomIdentity));
  dark.addEventListener("change", () => {
    tellLegend();
    fit();
  });
  new ResizeObserver(fit).observe(canvas);
}

async function start() {
  const answer = await fetch(`${place}/map/points`);
  if (!answer.ok) throw new Error(String(answer.status));
  points = await answer.json();
  map.querySelector(".map-tools").hidden = false;
  tellLegend();
  fit();
  listen();
  map.dataset.ready = "true";
}

start().catch(() => {
  byId("legend").textContent = map.dataset.failed;
});
