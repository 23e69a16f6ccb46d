// The page of past runs.
import { arrow, label, make, number, outcome, say, span, text } from './words.js';
import { enter, runs } from './net.js';

const at = (id) => document.getElementById(id);
let history;

function draw() {
  if (!history) return;
  text(at('service'), '/ ' + history.service);
  document.title = `${history.service} · ${say('history')}`;
  at('runs').replaceChildren(...history.runs.map((r) => {
    const row = document.createElement('tr');
    const head = make('th');
    head.scope = 'row';
    const link = make('a', '', r.run);
    link.href = '/runs/' + encodeURIComponent(r.run);
    head.append(link);
    row.append(head);
    const when = r.started ? r.started.replace('T', ' ').slice(0, 16) + 'Z' : say('notyet');
    for (const cell of [when, outcome(r.phase, r.safe) + (r.error && r.phase !== 'done' ? ' · ' + r.error : ''), arrow(r.releases), span(r.duration_s), number(r.sessions.moved), number(r.sessions.cut), r.by]) row.append(make('td', '', cell));
    return row;
  }));
}

function notice(s) {
  at('notice').hidden = !s;
  text(at('notice'), s);
}

label(draw);
await enter();
for (;;) {
  try {
    history = await runs();
    notice(history.runs.length ? '' : say('norun'));
    draw();
  } catch (e) {
    notice(e.status === 401 ? say('notoken') : say('busy', e.message));
    if (e.status === 401) break;
  }
  await new Promise((r) => { setTimeout(r, 5000); });
}
