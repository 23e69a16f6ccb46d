// The page of one run: that of its address, or the newest.
import { arrow, glyphs, label, make, number, outcome, say, span, text, lang } from './words.js';
import { armed, ask, enter, follow, runs } from './net.js';
import { curve } from './curve.js';
import { group } from './group.js';

const at = (id) => document.getElementById(id);
const named = location.pathname.startsWith('/runs/') ? decodeURIComponent(location.pathname.slice(6)) : '';
let plan, state, lines = [], cards = [], skew = 0, spoken = '', end, linked = true, shown = '';

function notice(s) {
  at('notice').hidden = !s;
  text(at('notice'), s || '');
}

const name = (s) => `${say(s.kind)} ${s.group}`;
const secs = (t) => Date.parse(t) / 1000;
const clock = () => Date.now() / 1000 - skew; // by the clock of the machine that is asked

// speak tells those who hear the page what has changed: steps, the outcome and alarms, and nothing else.
function speak() {
  const st = plan.steps[state.step];
  const now = [state.phase === 'running' && st ? say('stepof', state.step + 1, plan.steps.length, name(st)) : outcome(state.phase, state.safe), state.words[lang].alarm].filter((s) => s).join('. ');
  if (now !== spoken) text(at('say'), now);
  spoken = now;
}

function head() {
  text(at('service'), '/ ' + plan.service);
  text(at('releases'), arrow(plan.releases));
  const st = plan.steps[state.step], running = state.phase === 'running' && st;
  text(at('phase'), running ? `${glyphs.running} ${name(st)}` : outcome(state.phase, state.safe));
  at('phase').className = 'badge ' + state.phase;
  document.title = `${at('phase').textContent} · ${plan.service}`;
  text(at('traffic'), state.words[lang].traffic);
  text(at('cut'), state.cut ? '✖ ' + say('ncut', number(state.cut)) : '✔ ' + say('zero'));
  const i = drain(), g = i < 0 ? undefined : plan.steps[i];
  text(at('lefthead'), g ? say('sessionson', g.group) : say('sessions'));
  const s = i < 0 ? undefined : state.steps[i];
  text(at('left'), !s ? say('notyet') : say('of', number(s.left ?? 0), number(s.first ?? 0)));
  for (const [id, s] of [['alarm', state.words[lang].alarm], ['error', state.words[lang].error]]) {
    at(id).hidden = !s;
    text(at(id), s ? '✖ ' + s : '');
  }
  text(at('doing'), [state.words[lang].doing, state.holder ? say('holder', state.holder) : ''].filter((s) => s).join(' · '));
}

// drain gives the newest drain begun; -1 where there is none.
const drain = () => plan.steps.findLastIndex((s, i) => s.kind === 'drain' && state.steps[i].first !== undefined);

// link says how fresh the page is.
function link() {
  const over = state && state.phase !== 'running' && state.phase !== 'planned';
  text(at('link'), linked ? (over ? '' : say('live')) : over ? say('ended') : say('lost'));
  at('link').classList.toggle('bad', !linked && !over);
}

// tick draws what moves by itself.
function tick() {
  if (!state) return;
  const eta = state.eta_s === null ? null : state.eta_s - (clock() - secs(state.now));
  text(at('eta'), eta === null ? (state.phase === 'running' ? '?' : say('notyet')) : '~' + span(Math.round(eta)));
  const until = state.deadline && state.phase === 'running' ? secs(state.deadline) - clock() : null;
  const i = drain(), count = i >= 0 && state.steps[i].status === 'running' ? state.groups[plan.groups.findIndex((g) => g.name === plan.steps[i].group)].sessions : null;
  const empty = count && count.empty_s !== undefined ? say('empty', span(Math.round(Math.max(0, count.empty_s - (clock() - secs(count.at)))))) : '';
  text(at('deadline'), [until === null ? '' : until >= 0 ? say('deadlinein', span(Math.round(until))) : say('over', span(Math.round(-until))), empty].filter((s) => s).join(' · '));
}

function steps() {
  at('steps').replaceChildren(...plan.steps.map((st, i) => {
    const s = state.steps[i], e = make('li', s.status, `${glyphs[s.status]} ${name(st)}`);
    e.title = say(s.status);
    e.append(make('span', 'unseen', ' ' + say(s.status)));
    if (i === state.step && s.status !== 'done') e.setAttribute('aria-current', 'step');
    if (st.purpose === 'retreat' && (i === 0 || plan.steps[i - 1].purpose !== 'retreat')) e.prepend(say('retreat') + ': ');
    return e;
  }));
}

function timeline() {
  const begun = plan.steps.map((st, i) => ({ st, s: state.steps[i] })).filter(({ s }) => s.began);
  if (!begun.length) return;
  const from = secs(begun[0].s.began), until = Math.max(...begun.map(({ s }) => (s.ended ? secs(s.ended) : clock())), from + 1);
  at('timeline').replaceChildren(...begun.map(({ st, s }) => {
    const row = make('tr'), a = secs(s.began), z = s.ended ? secs(s.ended) : clock(), cell = make('td'), bar = make('div', 'when ' + s.status);
    bar.style.marginLeft = `${(100 * (a - from)) / (until - from)}%`;
    bar.style.width = `${Math.max(0.7, (100 * (z - a)) / (until - from))}%`;
    row.title = [name(st), say(s.status), s.began.slice(11, 19) + 'Z', s.cut === undefined ? '' : say('ncut', s.cut), s.error].filter((x) => x).join(' · ');
    cell.append(bar);
    const head = make('th', '', `${glyphs[s.status]} ${name(st)}`);
    head.scope = 'row';
    row.append(head, cell, make('td', 'n', span(z - a)));
    return row;
  }));
}

function closing() {
  const w = state.words[lang];
  text(at('failshead'), say(w.if_fails ? 'ifnow' : 'next'));
  text(at('fails'), w.if_fails || (w.next ? '' : say('nothing')));
  at('next').replaceChildren(...(w.next || []).map((a) => {
    const e = make('li');
    e.append(make('code', '', a.command), ' ', a.why);
    return e;
  }));
  const control = plan.control && state.alive && state.phase === 'running';
  at('control').hidden = !(control && armed());
  at('unarmed').hidden = !(control && !armed());
}

function groups() {
  if (!cards.length) {
    cards = plan.groups.map((g) => group(g, plan.run));
    at('groups').replaceChildren(...cards.map((c) => c.card));
  }
  const st = plan.steps[state.step];
  plan.groups.forEach((g, i) => {
    const d = state.steps.findLastIndex((s, j) => plan.steps[j].kind === 'drain' && plan.steps[j].group === g.name && s.status === 'running');
    cards[i].draw(state.groups[i], state.phase === 'running' && st && st.group === g.name ? '◌ ' + say(st.kind) : '', d < 0 ? 0 : state.steps[d].first);
  });
}

function curves() {
  const all = plan.steps.map((st, i) => ({ st, s: state.steps[i] })).filter(({ st, s }) => st.kind === 'drain' && s.curve).reverse();
  const box = at('curves');
  box.className = all.length > 1 ? 'two' : '';
  const wide = Math.max(240, Math.round(box.clientWidth / (all.length > 1 && innerWidth > 760 ? 2 : 1)) - 30);
  box.replaceChildren(...all.map(({ st, s }) => curve(st, s, (s.ended ? secs(s.ended) : clock()) - secs(s.began), state.groups[plan.groups.findIndex((g) => g.name === st.group)].sessions, wide)));
}

function event(l) {
  const e = make('li', '', l[lang] || l.en);
  e.value = l.seq;
  return e;
}

// add puts lines into the list, and stays at its end where that was in sight.
function add(some) {
  const list = at('events'), low = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(...some.map(event));
  if (low) list.scrollTop = list.scrollHeight;
}

let due = 0;
function draw() { // at most once a frame of the screen, and not at all where nobody sees it
  if (!due && state) due = requestAnimationFrame(() => { due = 0; for (const f of [head, steps, groups, curves, timeline, closing, tick, speak, link]) f(); });
}

function redraw() {
  at('events').replaceChildren();
  add(lines);
  draw();
  if (!state && shown) notice(say(shown));
}

function watch(run) {
  end?.();
  plan = state = undefined;
  lines = [], cards = [];
  at('events').replaceChildren();
  end = follow(run, {
    frame(f) {
      if (f.plan) plan = f.plan, cards = [];
      if (f.lines) lines.push(...f.lines), add(f.lines);
      if (!f.state) return;
      state = f.state;
      skew = Date.now() / 1000 - secs(state.now);
      at('run').hidden = false;
      notice('');
      draw();
    },
    link(is) { linked = is; link(); },
    newer(id) { if (!named) watch(id); },
    trouble(e) { linked = false; link(); notice(say('trouble', e)); },
    refused() { runs().catch((e) => { if (e.status === 401) end(), notice(say(shown = 'notoken')); }); },
  });
}

function confirm(request) {
  const dialog = at('confirm'), run = plan.run;
  text(at('asking'), say('ask' + request, run));
  text(at('typeit'), say('typeit'));
  text(at('yes'), say(request));
  text(at('refused'), '');
  at('typed').value = '';
  at('yes').onclick = async () => {
    if (at('typed').value.trim() !== run) { text(at('refused'), say('wrong')); return; }
    try {
      await ask(run, request);
      text(at('say'), say('asked'));
      dialog.close();
    } catch (e) { text(at('refused'), e.message); }
  };
  dialog.showModal();
}

label(redraw);
at('pause').addEventListener('click', () => confirm('pause'));
at('abort').addEventListener('click', () => confirm('abort'));
setInterval(tick, 1000);
addEventListener('resize', draw);
await enter();
for (let id = named; ;) {
  try {
    const all = await runs();
    if (named && !all.runs.some((r) => r.run === named)) { notice(say(shown = 'norunid')); break; }
    id ||= all.runs[0]?.run;
    if (id) { watch(id); break; }
    notice(say(shown = 'norun'));
  } catch (e) {
    notice(e.status === 401 ? say(shown = 'notoken') : say('busy', e.message));
    if (e.status === 401) break;
  }
  await new Promise((r) => { setTimeout(r, 1000); });
}
