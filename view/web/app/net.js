// How a page gets in, and how it stays informed.

const token = () => /^#([A-Z2-7]{26})$/.exec(location.hash)?.[1];

// The key lets this page act. It lies where no other port of this host comes at it, unlike the cookie, and as long as the tab is open.
let key = (() => { try { return sessionStorage.getItem('key'); } catch { return null; } })();

// armed says whether this page may ask for anything.
export const armed = () => !!key;

// enter trades the token behind the # for the cookie and the key, and takes it out of the address.
export async function enter() {
  const shown = token();
  if (!shown) return;
  history.replaceState(null, '', location.pathname);
  try {
    const r = await fetch('/api/login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token: shown }) });
    if (!r.ok) return;
    key = (await r.json()).key;
    sessionStorage.setItem('key', key);
  } catch { /* what comes next says so */ }
}

// An address that differs only behind the # does not load the page again.
addEventListener('hashchange', () => { if (token()) location.reload(); });

// Refused is an answer that is no success.
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function runs() {
  const r = await fetch('/api/runs');
  if (!r.ok) throw new Refused(r.status, await r.text());
  return r.json();
}

// log gives the end of what commands have printed on a machine.
export async function log(run, machine) {
  const r = await fetch(`/api/runs/${encodeURIComponent(run)}/logs/${encodeURIComponent(machine)}`);
  if (!r.ok) throw new Refused(r.status, (await r.text()).trim());
  return r.text();
}

export async function ask(run, request) {
  const r = await fetch(`/api/runs/${encodeURIComponent(run)}/ask`, { method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` }, body: JSON.stringify({ run, request }) });
  if (!r.ok) throw new Refused(r.status, (await r.text()).trim());
}

// follow hands every message of a run to take, whatever becomes of the connection. A browser connects again by itself after a stream has broken off,
// but not after an answer that is no stream: then this does, from the last id it has seen. It gives a function that ends it.
export function follow(run, take) {
  let source, last = 0, wait = 500, timer, over = false;
  const open = () => {
    source = new EventSource(`/api/runs/${encodeURIComponent(run)}/events?after=${last}`);
    source.onopen = () => { wait = 500; take.link(true); };
    source.onmessage = (m) => { last = Math.max(last, Number(m.lastEventId) || 0); take.frame(JSON.parse(m.data)); };
    source.addEventListener('newer', (m) => take.newer(JSON.parse(m.data).run));
    source.addEventListener('trouble', (m) => { end(); take.trouble(JSON.parse(m.data).error); });
    source.onerror = () => {
      if (over) return;
      take.link(false);
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(timer);
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, 8000);
      take.refused();
    };
  };
  const end = () => { over = true; clearTimeout(timer); source.close(); };
  open();
  return end;
}
