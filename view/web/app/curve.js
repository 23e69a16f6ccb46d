// The curve of a drain: sessions left over time, against the deadline.
import { make, number, say, span } from './words.js';

const H = 210, L = 52, R = 14, T = 12, B = 26;

function svg(tag, attributes, s) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (s !== undefined) e.textContent = s;
  return e;
}

// round gives a distance between two marks of an axis of which there are no more than some.
function round(most, steps, marks) {
  return steps.find((s) => most / s <= marks) || Math.ceil(most / marks);
}

// curve draws one drain, so many pixels wide. now is how long it has been going on, for one that is under way; count is the group's last count.
export function curve(plan, step, now, count, W) {
  const points = step.curve || [], last = plan.last || [];
  const left = points.length ? points[points.length - 1][1] : step.left || 0;
  const running = step.status === 'running';
  const ends = running && count && count.empty_s !== undefined && points.length ? points[points.length - 1][0] + count.empty_s : 0;
  const times = [...points, ...last].map((p) => p[0]);
  const far = Math.max(plan.within_s, running ? now : 0, 1, ...times) * 1.02;
  const high = Math.max(1, ...[...points, ...last].map((p) => p[1])) * 1.05;
  const x = (t) => (L + (Math.min(t, far) / far) * (W - L - R)).toFixed(1);
  const y = (n) => (H - B - (n / high) * (H - T - B)).toFixed(1);
  const line = (ps) => ps.map(([t, n]) => `${x(t)},${y(n)}`).join(' ');
  const told = running ? say('curvenow', number(left), number(step.first ?? left)) : say('curveended', number(step.first ?? left), number(left));
  const s = svg('svg', { viewBox: `0 0 ${W} ${H}`, height: H, role: 'img', 'aria-label': told });
  for (let n = 0, d = round(high, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000], 5); n <= high; n += d) {
    s.append(svg('line', { x1: L, x2: W - R, y1: y(n), y2: y(n), class: 'grid' }), svg('text', { x: L - 6, y: Number(y(n)) + 4, class: 'end' }, number(n)));
  }
  for (let t = 0, d = round(far, [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200], W < 500 ? 4 : 8); t <= far; t += d) {
    s.append(svg('text', { x: x(t), y: H - 8, class: 'mid' }, t ? span(t) : '0'));
  }
  if (last.length) s.append(svg('polyline', { points: line(last), class: 'past' }));
  if (ends > 0) s.append(svg('polyline', { points: line([points[points.length - 1], [ends, 0]]), class: 'forecast' }));
  if (points.length) s.append(svg('polyline', { points: line(points), class: 'real' }));
  if (points.length && running) s.append(svg('circle', { cx: x(points[points.length - 1][0]), cy: y(left), r: 4, class: 'dot' }));
  if (plan.within_s > 0) {
    s.append(svg('line', { x1: x(plan.within_s), x2: x(plan.within_s), y1: T, y2: H - B, class: 'limit' }), svg('text', { x: Number(x(plan.within_s)) - 5, y: T + 12, class: 'end limit' }, say('deadline')));
  }
  const f = make('figure');
  const c = make('figcaption');
  c.append(make('h2', '', say('curve', plan.group)), make('span', 'told', told), make('span', 'key real', say('now')));
  if (ends > 0) c.append(make('span', 'key forecast', say('forecast')));
  if (last.length) c.append(make('span', 'key past', say('last')));
  if (plan.within_s > 0) c.append(make('span', 'key limit', say('deadlineis')));
  f.append(c, s);
  return f;
}
