// One group: what of it is on, its sessions, and a box for each machine.
import { make, number, say, text } from './words.js';
import { log } from './net.js';

const squares = { 1: '■', x: '✖', 0: '□', '?': '?' };
const states = { 1: 'on', x: 'ill', 0: 'off', '?': 'unknown' };

// group gives the card of a group and a function that draws a state into it. Boxes are made once: there may be hundreds.
export function group(plan, run) {
  const card = make('section', 'group');
  const head = make('h2', '', plan.name);
  head.id = 'group-' + plan.name;
  card.setAttribute('aria-labelledby', head.id);
  const badge = make('p', 'badge'), on = make('p'), bar = make('div', 'bar'), fill = make('div'), sessions = make('p', 'count'), rate = make('p', 'quiet');
  bar.setAttribute('aria-hidden', 'true');
  bar.append(fill);
  const list = make('ul', 'machines');
  const boxes = plan.machines.map((m) => machine(m, run));
  list.append(...boxes.map((b) => b.item));
  const top = make('div', 'top');
  top.append(head, badge);
  card.append(top, on, bar, sessions, rate, list);
  return { card, draw(g, doing, first) {
    const b = g.backends;
    text(badge, [doing, g.release + (g.proven ? '' : ', ' + say('unproven')), g.takes_new ? '● ' + say('takes') : '○ ' + say('takesnone')].filter((s) => s).join(' · '));
    card.classList.toggle('serves', g.takes_new);
    text(on, say('backends', number(b.on), number(b.wanted), number(b.total)) + (b.sick ? ' · ✖ ' + say('sick', number(b.sick)) : ''));
    fill.style.width = b.total ? `${(100 * b.on) / b.total}%` : '0';
    const c = g.sessions;
    text(sessions, !c ? say('never') : c.unread ? say('atleast', number(c.total)) : first ? say('of', number(c.total), say('count', number(first))) : say('count', number(c.total)));
    text(rate, !c ? '' : [c.rate_s ? (c.rate_s < 0 ? '▼ ' : '▲ ') + say('persec', Math.abs(c.rate_s).toFixed(1)) : '', c.unread ? '? ' + say('unread', c.unread) : ''].filter((s) => s).join(' · '));
    g.machines.forEach((m, i) => boxes[i].draw(m));
  } };
}

function machine(plan, run) {
  const item = make('li'), box = make('details'), top = make('summary'), printed = make('pre'), count = make('strong'), rows = make('span', 'squares'), told = make('span', 'unseen'), more = make('div', 'more');
  const name = make('span', 'name', plan.name);
  rows.setAttribute('aria-hidden', 'true');
  top.append(name, ' ', count, ' ', told, rows);
  box.append(top, more);
  item.append(box);
  let now;
  const detail = () => {
    if (!box.open || !now) return;
    const list = make('dl'), pair = (k, v) => list.append(make('dt', '', k), make('dd', '', v));
    pair(say('address'), plan.host);
    (plan.backends || []).forEach((addr, i) => pair(addr, `${squares[now.b[i]] || '?'} ${say(states[now.b[i]] || 'unknown')}`));
    if (plan.ports) pair(say('counted'), plan.ports);
    if (plan.process) pair(say('processes'), say('of', now.p || 0, plan.process));
    if (now.w) pair(say('whynot'), now.w);
    pair(say('log'), '');
    list.lastChild.append(printed);
    more.replaceChildren(list);
  };
  printed.tabIndex = 0;
  box.addEventListener('toggle', async () => {
    detail();
    if (!box.open) return;
    try { text(printed, (await log(run, plan.name)) || say('nolog')); } catch (e) { text(printed, e.message); }
    printed.scrollTop = printed.scrollHeight;
  });
  return { item, draw(m) {
    const key = JSON.stringify(m) + say('language');
    if (now && now.key === key) return;
    now = { ...m, key };
    const open = [...m.b].filter((c) => c === '1' || c === 'x').length;
    text(count, m.s === undefined ? '?' : number(m.s));
    text(rows, [...m.b].map((c) => squares[c]).join(''));
    text(told, say('machine', open, m.b.length));
    detail();
  } };
}
