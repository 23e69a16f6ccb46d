// What the pages say in each language. Sentences about a state come from the program in both; these are the words around them.
const words = {
  en: {
    skip: 'Skip to the run', pages: 'Pages', history: 'Past runs', current: 'The newest run', overview: 'Overview',
    traffic: 'Traffic', sessions: 'Sessions', sessionson: 'Sessions left on {0}', cuthead: 'Cut', etahead: 'Time left', steps: 'Steps', timeline: 'Timeline', events: 'Events',
    step: 'Step', bar: 'When', took: 'Took', run: 'Run', when: 'Begun', became: 'What became of it', release: 'Release', moved: 'Moved', by: 'By',
    pause: 'Pause after this step', abort: 'Abort', no: 'Leave it', askpause: 'Stop run {0} after its present step?', askabort: 'Abort run {0}? What it changed at the load balancer is put back.',
    typeit: 'To confirm, type the id of the run:', wrong: 'That is not the id of this run.', asked: 'Asked. The run takes it up between two acts.', unarmed: 'This tab may only look. To pause or abort, open the address with the token again.',
    ifnow: 'If it goes wrong now', next: 'What to type next', nothing: 'Nothing is left to do.',
    of: '{0} of {1}', backends: '{0} backends on, {1} wanted, of {2}', sick: '{0} not healthy', takes: 'takes new connections', takesnone: 'takes none', unproven: 'not checked',
    count: '{0} sessions', atleast: 'at least {0} sessions', never: 'sessions not counted yet', persec: '{0} a second', unread: '{0} machines not read',
    machine: 'sessions, {0} of {1} backends on', unknown: 'not known', on: 'on', off: 'off', ill: 'on, not healthy', address: 'Address', counted: 'Sessions are counted on', processes: 'Processes', whynot: 'Not read', log: 'Last it printed', nolog: 'nothing yet',
    curve: 'Sessions of {0}', curvenow: '{0} of {1} sessions are left.', curveended: 'From {0} to {1} sessions.', now: 'now (solid)', forecast: 'forecast (dotted)', last: 'last run (grey, dashed)', deadlineis: 'deadline (red, upright)', deadline: 'deadline',
    deadlinein: 'deadline in {0}', empty: 'empty in about {0}', over: 'deadline passed {0} ago', stepof: 'Step {0} of {1}: {2}', live: '● live', lost: '○ connection lost, trying again', ended: '○ ended; this page is no longer fed',
    notoken: 'Open the address with the token that was printed when the dashboard was started.', norun: 'No rollout has been started yet. This page waits for one.', norunid: 'There is no such run.', busy: 'The dashboard cannot answer: {0}',
    trouble: 'The journal cannot be read any further: {0}', holder: 'The lock is held by {0}', retreat: 'the way back', unsafe: 'NOT PROVEN SAFE', language: '中文', notyet: '–', zero: '0 cut', ncut: '{0} cut',
    planned: 'planned', running: 'running', paused: 'paused', held: 'held', interrupted: 'interrupted', done: 'done', aborted: 'aborted', pending: 'to come', failed: 'failed', skipped: 'skipped',
    shift: 'shift', drain: 'drain', deploy: 'deploy', restart: 'restart', check: 'check', m: 'm', s: 's', h: 'h', d: 'd',
  },
  zh: {
    skip: '跳到本次更新', pages: '页面', history: '历史记录', current: '最近一次更新', overview: '概览',
    traffic: '流量', sessions: '长连接', sessionson: '{0} 剩余长连接', cuthead: '掐断', etahead: '剩余时间', steps: '步骤', timeline: '时间线', events: '事件',
    step: '步骤', bar: '时段', took: '耗时', run: '运行编号', when: '开始', became: '结果', release: '版本', moved: '自然结束', by: '操作人',
    pause: '本步骤后暂停', abort: '中止', no: '不做', askpause: '本步骤完成后暂停 {0}？', askabort: '中止 {0}？它在负载均衡上的改动将被还原。',
    typeit: '请输入本次更新的运行编号以确认：', wrong: '运行编号不符。', asked: '已提出，将在两个动作之间生效。', unarmed: '本标签页只能看。要暂停或中止，请重新打开带令牌的地址。',
    ifnow: '如果现在出错', next: '接下来可以输入', nothing: '没有剩下要做的事。',
    of: '{0} / {1}', backends: '{0} 个后端开启，应开启 {1} 个，共 {2} 个', sick: '{0} 个不健康', takes: '接收新连接', takesnone: '不接收新连接', unproven: '未检查',
    count: '{0} 条长连接', atleast: '至少 {0} 条长连接', never: '尚未统计长连接', persec: '每秒 {0}', unread: '{0} 台机器未读到',
    machine: '条长连接，{0} / {1} 个后端开启', unknown: '未知', on: '开启', off: '关闭', ill: '开启，不健康', address: '地址', counted: '统计长连接的端口', processes: '进程', whynot: '未读到', log: '最近打印', nolog: '还没有',
    curve: '{0} 的长连接', curvenow: '还剩 {0} / {1} 条长连接。', curveended: '从 {0} 条降到 {1} 条长连接。', now: '当前（实线）', forecast: '预测（点线）', last: '上次（灰色虚线）', deadlineis: '截止时间（红色竖线）', deadline: '截止时间',
    deadlinein: '离截止时间还有 {0}', empty: '约 {0} 后排空', over: '截止时间已过 {0}', stepof: '第 {0} 步，共 {1} 步：{2}', live: '● 实时', lost: '○ 连接中断，正在重试', ended: '○ 已结束，页面不再刷新',
    notoken: '请打开启动看板时打印的带令牌的地址。', norun: '还没有任何更新。本页会等待。', norunid: '没有这次更新。', busy: '看板无法回答：{0}',
    trouble: '运行记录无法继续读取：{0}', holder: '锁由 {0} 持有', retreat: '退回', unsafe: '未证实安全', language: 'English', notyet: '–', zero: '掐断 0', ncut: '掐断 {0}',
    planned: '待开始', running: '进行中', paused: '已暂停', held: '暂停并保持', interrupted: '已中断', done: '已完成', aborted: '已中止', pending: '未开始', failed: '失败', skipped: '跳过',
    shift: '切流量', drain: '排空', deploy: '部署', restart: '重启', check: '检查', m: '分', s: '秒', h: '时', d: '天',
  },
};

const kept = (() => { try { return localStorage.getItem('lang'); } catch { return null; } })();
export let lang = kept === 'zh' || kept === 'en' ? kept : (navigator.language || '').startsWith('zh') ? 'zh' : 'en';

// say gives a phrase, with {0}, {1} filled in.
export function say(key, ...args) {
  const text = words[lang][key];
  return text === undefined ? key : text.replace(/\{(\d)\}/g, (_, i) => args[i]);
}

// label puts the words into a page, and again whenever the language is changed; then it calls again.
export function label(again) {
  const put = () => {
    document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
    for (const e of document.querySelectorAll('[data-say]')) text(e, say(e.dataset.say));
    for (const e of document.querySelectorAll('[data-label]')) e.setAttribute('aria-label', say(e.dataset.label));
    const button = document.getElementById('lang');
    text(button, say('language'));
    button.lang = lang === 'zh' ? 'en' : 'zh-CN';
  };
  document.getElementById('lang').addEventListener('click', () => {
    lang = lang === 'zh' ? 'en' : 'zh';
    try { localStorage.setItem('lang', lang); } catch { /* it is only not kept */ }
    put();
    again();
  });
  put();
}

// text sets the text of an element, if it is another: what has not changed is not drawn and not read out again.
export function text(e, s) {
  if (e.textContent !== String(s)) e.textContent = s;
}

// make gives an element with a class and a text. Whatever came from a machine is only ever text.
export function make(tag, cls, s) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (s !== undefined) e.textContent = s;
  return e;
}

export const number = (n) => n.toLocaleString(lang === 'zh' ? 'zh-CN' : 'en-US');

// span writes seconds as short as they are of use.
export function span(s) {
  s = Math.max(0, s);
  if (s < 10) return (s < 9.95 && s % 1 ? s.toFixed(1) : Math.round(s)) + say('s');
  s = Math.round(s);
  const d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60, two = (n) => String(n).padStart(2, '0');
  if (d > 0) return d + say('d') + two(h) + say('h');
  if (h > 0) return h + say('h') + two(m) + say('m');
  return m > 0 ? m + say('m') + two(s % 60) + say('s') : s + say('s');
}

export const glyphs = { pending: '○', running: '◌', done: '✔', failed: '✖', skipped: '–', planned: '○', paused: '‖', held: '✖', interrupted: '‖', aborted: '↩' };

// outcome writes a phase with its sign.
export const outcome = (phase, safe) => `${glyphs[phase] || '○'} ${say(phase)}${phase === 'held' && safe === false ? ', ' + say('unsafe') : ''}`;

export const arrow = (r) => (r.from && r.to ? `${r.from} → ${r.to}` : r.to ? `→ ${r.to}` : r.from);
