'use strict';
// The page of a running autopilot. What comes from the service is set as text,
// never as markup. The token is in memory only, and goes nowhere but into a header.

const $ = (id) => document.getElementById(id);
const el = (name, text, cls) => { const e = document.createElement(name); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };

let token = '';
let proven = false; // the service took the token
let status = null;
let known = { knobs: [], offered: [] };

// redraw replaces what a box has if that changed, and leaves the keyboard where it is.
const drawn = new Map();
function redraw(box, key, make) {
  const text = JSON.stringify(key);
  if (drawn.get(box) === text) return;
  drawn.set(box, text);
  const at = box.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  box.replaceChildren(...make());
  if (at) box.querySelector(`[data-key="${CSS.escape(at)}"]`)?.focus();
}

function button(label, key, say, act, cls = 'small') {
  const b = el('button', label, cls);
  b.type = 'button';
  b.dataset.key = key;
  b.setAttribute('aria-label', say);
  b.disabled = !can();
  b.addEventListener('click', act);
  return b;
}

// can: there is a service that takes changes.
const can = () => !!status && !status.disabled && status.phase !== 'ended' && $('problem').hidden;
const by = (o) => o?.who ? `by ${o.who}${o.why ? ` (${o.why})` : ''}` : '';
const table = (heads, rows) => {
  const t = el('table'), head = el('tr'), thead = el('thead'), body = el('tbody');
  for (const h of heads) { const th = el('th', h); th.scope = 'col'; head.append(th); }
  thead.append(head); body.append(...rows); t.append(thead, body);
  return t;
};
// stack makes of each row a card where there is no room for columns: its cells then say what they are.
const stack = (t) => {
  const heads = [...t.tHead.rows[0].cells].map((h) => h.querySelector('.unseen') ? '' : h.textContent);
  for (const row of t.tBodies[0].rows) [...row.cells].forEach((cell, i) => { if (cell.tagName === 'TD' && heads[i]) cell.dataset.head = heads[i]; });
  t.className = 'stack';
  return t;
};
const scroll = (t, label) => { const box = el('div', undefined, 'scroll'); box.tabIndex = 0; box.setAttribute('role', 'region'); box.setAttribute('aria-label', label); box.append(t); return box; };
const buttons = (...all) => { const p = el('p', undefined, 'buttons'); p.append(...all); return p; };
const changeList = (change, safe) => Object.keys(change ?? {}).sort().map((name) => {
  const row = el('tr'), head = el('th', name); head.scope = 'row';
  row.append(head, el('td', value(safe?.[name])), el('td', value(change[name])));
  return row;
});

// --- figures ---

const unknown = '–';
const significant = (v) => Number(v.toPrecision(3)).toString();
const seconds = (v) => v == null ? unknown : v < 1e-3 ? significant(v * 1e6) + ' µs' : v < 1 ? significant(v * 1e3) + ' ms' : significant(v) + ' s';
const bytes = (v) => v == null ? unknown : v < 1e6 ? significant(v / 1e3) + ' kB' : v < 1e9 ? significant(v / 1e6) + ' MB' : significant(v / 1e9) + ' GB';
const rate = (v) => v == null ? unknown : significant(v) + ' /s';
const percent = (v) => (v >= 0 ? '+' : '−') + Math.abs(100 * v).toFixed(1) + ' %';
const unbounded = (e) => e.high > 1000 || e.low <= -0.999;
const interval = (e) => unbounded(e) ? 'not bounded yet' : percent(e.low) + ' to ' + percent(e.high);
const goalName = (m) => m.replace(/_seconds$/, '').replace('cpu_seconds_per', 'CPU time per').replaceAll('_', ' ');
const value = (v) => v === undefined ? unknown : Number(v.toPrecision(9)).toString();
const clock = (t) => new Date(t).toLocaleTimeString([], { hour12: false });

// --- charts ---

const charts = [
  { id: 'p95', of: (p) => p.p95, say: seconds },
  { id: 'cpu', of: (p) => p.cpu, say: seconds },
  { id: 'requests', of: (p) => p.requests, say: rate },
  { id: 'rss', of: (p) => p.rss, say: bytes },
];
const points = [];
const pointsKept = 1800;

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function shade(u) { // where a candidate is in force
  u.ctx.save();
  u.ctx.fillStyle = color('--shade');
  for (const p of points) {
    if (!p.candidate) continue;
    const end = Date.parse(p.at) / 1000;
    const from = Math.max(u.valToPos(end - p.seconds, 'x', true), u.bbox.left);
    const to = Math.min(u.valToPos(end, 'x', true), u.bbox.left + u.bbox.width);
    if (to > from) u.ctx.fillRect(from, u.bbox.top, to - from, u.bbox.height);
  }
  u.ctx.restore();
}

function makeChart(c) {
  const box = $('chart-' + c.id);
  const axis = { stroke: () => color('--faint'), grid: { stroke: () => color('--line'), width: 1 }, ticks: { stroke: () => color('--line') } };
  c.plot = new uPlot({
    width: box.clientWidth || 300, height: 200, legend: { show: false }, cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (u, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [{ ...axis, values: (u, ticks) => ticks.map((t) => new Date(t * 1000).toLocaleTimeString([], { hour12: false })), space: 90, size: 32 }, { ...axis, size: 64, values: (u, ticks) => ticks.map(c.say) }],
    series: [{}, { stroke: () => color('--blue'), width: 1.5, spanGaps: false, points: { show: false } }],
    hooks: { drawClear: [shade] },
  }, [[], []], box);
}

function drawCharts() {
  const at = points.map((p) => Date.parse(p.at) / 1000);
  for (const c of charts) {
    const all = points.map((p) => c.of(p) ?? null);
    c.plot.setData([at, all]);
    const known = all.filter((v) => v !== null);
    const now = known.at(-1);
    $('now-' + c.id).textContent = c.say(now);
    const label = known.length ? `now ${c.say(now)}, between ${c.say(known.reduce((a, b) => Math.min(a, b)))} and ${c.say(known.reduce((a, b) => Math.max(a, b)))} in ${known.length} readings` : 'nothing measured yet';
    $('chart-' + c.id).setAttribute('aria-label', label);
  }
}

// --- what is going on ---

function showTrial(t) {
  const box = $('trial');
  if (!t) { box.replaceChildren(el('p', 'No trial is running.', 'empty')); return; }
  const out = [el('p', `${t.audit ? 'Audit of ' : ''}${t.optimization} ${t.move}: ${t.pairs} of at most ${t.cap} pairs.`), el('p', t.why, 'note')];
  for (const e of t.effects ?? []) {
    const row = el('div', undefined, 'goal');
    const what = el('div', goalName(e.metric));
    what.append(el('small', `${percent(e.effect)} (${interval(e)})`));
    row.append(what, evidence('better', e.better, e.better_at), evidence('worse', e.worse, e.worse_at));
    out.push(row);
  }
  box.replaceChildren(...out);
}

function evidence(name, e, at) { // on the way to its boundary, in logarithms
  const box = el('div');
  const far = at > 1 ? Math.min(1, Math.max(0, Math.log(e) / Math.log(at))) : 0;
  const meter = el('meter');
  meter.max = 1; meter.value = far;
  const text = at > 1 ? `${name}: evidence ${significant(e)} of ${significant(at)}` : `${name}: evidence ${significant(e)}, does not decide`;
  meter.setAttribute('aria-label', text);
  box.append(meter, el('small', text));
  return box;
}

function knobOf(name) { return known.knobs.find((k) => k.name === name); }

// pinOf says by which pin a knob is held: its own, or that of an optimization.
function pinOf(s, knob) {
  const all = Object.entries(s.pins ?? {}).filter(([, p]) => knob in p.values);
  return all.find(([name]) => name === knob) ?? all[0];
}

function showSetting(s) {
  const rows = [];
  const all = $('all-knobs').checked;
  for (const name of Object.keys(s.initial ?? {}).sort()) {
    const was = s.initial[name], kept = s.safe?.[name], now = s.in_force?.[name], pin = pinOf(s, name);
    if (!all && !pin && was === kept && (now === undefined || now === was)) continue;
    rows.push({ name, was, kept, now, pin, unit: knobOf(name)?.unit ?? '' });
  }
  redraw($('setting').tBodies[0], [rows, can()], () => rows.map(({ name, was, kept, now, pin, unit }) => {
    const row = el('tr');
    const head = el('th', name); head.scope = 'row';
    if (unit) head.append(el('small', ' ' + unit, 'note'));
    const act = el('td', undefined, 'act');
    act.append(buttons(
      ...(pin ? [button('Unpin', 'unpin ' + name, `Unpin ${pin[0]}`, () => unpin(pin[0], pin[1]))]
        : [button('Pin', 'pin ' + name, `Pin ${name} as it is`, () => pinAsIs(name, kept, unit))]),
      button('Pin at …', 'pin-at ' + name, `Pin ${name} at a value`, () => pinAt(name, kept)),
    ));
    row.append(head, el('td', value(was)), el('td', value(kept), kept !== was ? 'kept' : ''), el('td', value(now)),
      el('td', pin ? (pin[0] === name ? '' : `with ${pin[0]}, `) + by(pin[1].by) : '', 'wide'), act);
    return row;
  }));
  stack($('setting'));
  $('setting').hidden = rows.length === 0;
  $('setting-empty').hidden = rows.length > 0;
}

// What is kept and in force, each with its way back.
function showKept(s) {
  const kept = s.audits ?? [];
  redraw($('kept'), [kept, can()], () => kept.length ? [scroll(stack(table(['change', 'kept by', 'audits', 'evidence against it, of 100', 'next audit', ''], kept.map((a) => {
    const row = el('tr'), head = el('th', `${a.optimization} ${a.move}`), act = el('td', undefined, 'act'); head.scope = 'row';
    act.append(buttons(button('Revert', 'revert ' + a.trial, `Revert ${a.optimization} ${a.move}, kept by trial ${a.trial}`, () => revert(a))));
    row.append(head, el('td', `trial ${a.trial}`), el('td', String(a.done)), el('td', significant(a.evidence)), el('td', clock(a.due)), act);
    return row;
  }))), 'Kept changes in force')] : [el('p', 'None.', 'empty')]);
}

// --- proposals of advice mode ---

function showProposals(s) {
  const all = s.advice ?? [];
  $('proposals-box').hidden = !all.length;
  redraw($('proposals'), [all, s.safe, s.trial?.proposal, known.offered, can()], () => all.map((a) => {
    const box = el('article', undefined, 'card'), name = `${a.optimization} ${a.move}`;
    const said = a.said === 'approve' ? `Approved ${by(a.by)}${a.waits ? `; waits: ${a.waits}` : s.trial?.proposal === a.id ? '; being tried now' : '; tried next'}.`
      : a.said === 'decline' ? `Declined ${by(a.by)}.` : 'Open: waits for your word.';
    const differs = known.offered.find((o) => o.name === a.optimization)?.may_differ;
    const facts = [differs ? `may change results: ${differs}` : 'results stay the same'];
    if (a.basis?.share) facts.push(`acts on ${share(a.basis.share)} of what the service spends`);
    if (a.basis?.workload) facts.push(`the workload is taken for ${a.basis.workload}`);
    const seen = Object.entries(a.seen ?? {}).sort().map(([m, v]) => `${goalName(m)} ${figure(m, v)}`);
    if (seen.length) facts.push('measured: ' + seen.join(', '));
    const list = el('ul'); list.append(...facts.map((f) => el('li', f)));
    const exact = el('details'); exact.append(el('summary', 'Exact setting'), el('p', Object.entries({ ...s.safe, ...a.change }).sort().map(([k, v]) => `${k}=${value(v)}`).join(' '), 'note'));
    exact.firstChild.dataset.key = 'exact ' + a.id;
    const ask = (command, title, what) => () => askFor({ command, title: `${title} ${name}`, what, fields: { proposal: a.id } });
    box.append(el('h3', name), el('p', a.why), list, table(['knob', 'now', 'proposed'], changeList(a.change, s.safe)), exact, el('p', `${said} Id ${a.id}.`, 'note'));
    const acts = [];
    if (a.said !== 'approve') acts.push(button('Approve', 'approve ' + a.id, 'Approve ' + name, ask('approve', 'Approve', 'It is tried as an experiment with all guards, and kept if it is shown better.'), ''));
    if (a.said !== 'decline') acts.push(button('Decline', 'decline ' + a.id, 'Decline ' + name, ask('decline', 'Decline', 'It is not tried until it is approved or reopened.'), ''));
    if (a.said) acts.push(button('Reopen', 'reopen ' + a.id, 'Reopen ' + name, ask('reopen', 'Reopen', 'As if nothing had been said to it.'), ''));
    box.append(buttons(...acts));
    return box;
  }));
}

// --- what the policy sees ---

const share = (v) => v < 0.0995 ? (100 * v).toFixed(1) + ' %' : Math.round(100 * v) + ' %';
const figure = (m, v) => m.includes('seconds') ? seconds(v) : m.endsWith('bytes') ? bytes(v) : m.endsWith('ratio') ? share(v) : significant(v);
const span = (s) => s < 90 ? Math.round(s) + ' s' : s < 5400 ? Math.round(s / 60) + ' min' : significant(s / 3600) + ' h';

function showOutlook(s) {
  const o = s.outlook;
  const isOn = (name) => s.safe?.[name] === 1;
  const stateOf = (p) => s.trial && !s.trial.audit && s.trial.optimization === p.optimization ? 'being tried'
    : isOn(p.optimization) ? 'on' : s.advice?.some((a) => a.optimization === p.optimization && !a.said) ? 'proposed' : s.blocked?.[p.optimization] ?? p.skip ?? '';
  const states = o?.prospects.map(stateOf);
  redraw($('outlook'), [o, states], () => {
    if (!o) return [el('p', s.disabled ? 'Nothing is measured.' : s.phase === 'measuring' ? 'The noise is measured first: nothing is known yet.' : 'The policy does not say.', 'empty')];
    const next = s.advice?.length ? -1 : states.indexOf('');
    const rows = o.prospects.map((p, i) => {
      const row = el('tr'), head = el('th', p.optimization); head.scope = 'row';
      head.append(el('small', states[i] || (i === next ? 'tried next' : 'may be tried'), i === next ? 'next' : ''));
      row.append(head, el('td', p.signal || 'not measured', p.signal ? 'wide' : 'wide empty'), el('td', p.signal ? share(p.share) : unknown), el('td', p.likelihood ? significant(p.likelihood) : unknown),
        el('td', p.seconds && p.share ? `${significant(p.pairs)} pairs, ${span(p.seconds)}` : unknown));
      return row;
    });
    return [el('p', `Taken for: ${o.why || o.workload || 'not said'}.`), el('p', `Of ${clock(o.at)}, when the policy was last asked; first what may gain most in a minute of experiment.`, 'note'),
      scroll(stack(table(['optimization', 'signal', 'at most to gain', 'likelihood', 'a trial takes'], rows)), 'What there is to gain')];
  });
}

function showAlerts(s) {
  const all = (s.alerts ?? []).toReversed();
  redraw($('alerts'), all, () => {
    if (!all.length) return [el('p', 'None since this process started.', 'empty')];
    return [scroll(stack(table(['at', 'kind', 'what a person should look at'], all.map((a) => {
      const row = el('tr'), head = el('th', clock(a.at)); head.scope = 'row';
      row.append(head, el('td', a.kind), el('td', a.message, 'wide'));
      return row;
    }))), 'Alerts')];
  });
}

function showState(s) {
  const verdicts = s.verdicts ?? {};
  const facts = [
    ['policy', s.policy], ['seed', String(s.seed)],
    ['noise measured', s.measured_of ? `${Math.min(s.measured, s.measured_of)} of ${s.measured_of} blocks` : unknown],
    ['wealth', s.wealth ? `${significant(s.wealth)}: what may still be risked on false keeps` : unknown],
    ['pairs left', s.pairs_left < 0 ? 'no limit' : String(s.pairs_left)],
    ['ends', s.until ? new Date(s.until).toLocaleString([], { hour12: false }) : 'never'],
    ['verdicts', Object.entries(verdicts).map(([k, n]) => `${n} ${k}`).join(', ') || 'none yet'],
    ['its own CPU time', s.cpu_seconds ? `${(100 * s.cpu_ratio).toFixed(2)} % of a core, ${significant(s.cpu_seconds)} s since it started` : 'not measured here'],
    ['alerts dropped', String(s.alerts_dropped ?? 0)],
  ];
  redraw($('state'), facts, () => facts.flatMap(([k, v]) => [el('dt', k), el('dd', v)]));
  const blocked = Object.entries(s.blocked ?? {}).sort();
  redraw($('blocked'), blocked, () => {
    const list = el('ul');
    list.append(...blocked.map(([name, why]) => { const item = el('li'); item.append(el('strong', name), ': ', el('span', why, why.startsWith('quarantined') ? 'aborted' : '')); return item; }));
    return [blocked.length ? list : el('p', 'Nothing is blocked.', 'empty')];
  });
}

// say tells a screen reader what is news: not each block of a trial.
function say(s) {
  const what = s.disabled ? s.why : s.trial ? `trying ${s.trial.optimization} ${s.trial.move}` : s.phase === 'restoring' ? '' : s.phase;
  if (what && $('say').textContent !== what) $('say').textContent = what;
}

function show(s) {
  const ended = (a) => a ? a.ended + ' ' + a.id : '';
  const news = !status || ended(status.ended?.at(-1)) !== ended(s.ended?.at(-1));
  status = s;
  $('instance').textContent = s.instance ?? '';
  const why = s.stands_by || s.why;
  $('phase').textContent = why ? `${s.phase}: ${why}` : s.phase;
  $('disabled').hidden = !s.disabled;
  $('disabled').textContent = s.disabled ? `Everything is off. ${s.why}. The service runs as it is configured, and nothing here can change it.` : '';
  say(s);
  enable();
  showProposals(s);
  showTrial(s.trial);
  showSetting(s);
  showKept(s);
  showOutlook(s);
  showAlerts(s);
  showState(s);
  if (news) showDecisions();
}

function enable() {
  const paused = !!status?.paused_by;
  $('pause').disabled = !can() || paused;
  $('resume').disabled = !can() || !paused;
  $('revert-all').disabled = !can();
}

// --- decisions ---

const opened = new Set();

async function showDecisions() {
  let all;
  try { all = await get('api/decisions'); } catch { return; } // the stream says what is wrong
  if (!all.length) return;
  redraw($('decisions'), all.map((t) => [t.id, t.ended, t.outcome]), () => all.reverse().map(decision));
}

function decision(t) {
  const box = el('details');
  const line = el('summary');
  line.dataset.key = 'decision ' + t.id + ' ' + t.ended;
  const e = t.effects?.[0];
  line.append(el('span', t.outcome, t.outcome), ` ${t.audit ? 'audit of ' : ''}${t.optimization} ${t.move}: ${t.reason}`,
    e && t.pairs ? `; ${goalName(e.metric)} ${percent(e.effect)} (${interval(e)}), ${t.pairs} pair${t.pairs === 1 ? '' : 's'}` : '', `, ${clock(t.ended)}`);
  const body = el('div');
  body.append(el('p', t.detail ?? ''), el('p', t.why, 'note'));
  box.append(line, body);
  const key = t.id + ' ' + t.ended;
  box.open = opened.has(key);
  let asked = false;
  box.addEventListener('toggle', () => {
    box.open ? opened.add(key) : opened.delete(key);
    if (!box.open || asked) return;
    asked = true;
    get('api/trials/' + t.id).then((r) => body.append(pairs(r.pairs)), (err) => body.append(el('p', err.message, 'empty')));
  });
  return box;
}

function pairs(all) {
  if (!all.length) return el('p', 'It ended before a pair was whole.', 'empty');
  const metric = all[0].effects?.[0]?.metric ?? Object.keys(all[0].safe)[0];
  const out = table(['pair', 'kept setting', 'candidate', 'difference', 'evidence for better'], all.map((p) => {
    const row = el('tr'), a = p.safe[metric], b = p.candidate[metric];
    row.append(el('td', String(p.pair)), el('td', figure(metric, a)), el('td', figure(metric, b)), el('td', percent(b / a - 1)), el('td', significant(p.effects?.[0]?.better ?? 1)));
    return row;
  }));
  out.prepend(el('caption', goalName(metric), 'note'));
  return scroll(out, 'Pairs');
}

// --- the line to the service ---

const headers = () => token ? { Authorization: 'Bearer ' + token } : {};

async function get(path) {
  const r = await fetch(path, { headers: headers() });
  const body = await r.json();
  if (!r.ok) throw Object.assign(new Error(body.error ?? r.statusText), { status: r.status });
  return body;
}

function problem(text) {
  $('problem').textContent = text;
  $('problem').hidden = !text;
  enable();
  if (status) { showProposals(status); showSetting(status); showKept(status); }
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// follow reads the stream, and comes back when it breaks: sooner at first. It is
// read by fetch, since an EventSource can send no token.
async function follow() {
  for (let pause = 500; ; pause = Math.min(2 * pause, 10000)) {
    try {
      const r = await fetch('api/events', { headers: headers() });
      if (r.status === 401) { problem('From this machine the page takes the token.'); await askFor({}); pause = 250; continue; }
      if (!r.ok) throw new Error((await r.json()).error ?? r.statusText);
      pause = 250;
      points.length = 0;
      status = null;
      problem('');
      get('api/knobs').then((all) => { known = all; if (status) show(status); }, () => {}); // the stream says what is wrong
      const reader = r.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = ''; ;) {
        const { value: more, done } = await reader.read();
        if (done) break;
        text += more;
        for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) take(text.slice(0, end));
      }
      if (status?.phase === 'ended') { problem('The autopilot has ended; this is the last that it said.'); pause = 5000; }
      else problem('The connection ended; trying again. What is below may be old.');
    } catch (err) {
      problem(`No connection (${err.message}); trying again. What is below is ${status ? `of ${clock(status.at)}` : 'not known yet'}.`);
    }
    await wait(pause);
  }
}

function take(event) {
  const data = event.split('\n').find((l) => l.startsWith('data: '));
  if (!data) return;
  const news = JSON.parse(data.slice(6));
  points.push(...news.points);
  if (points.length > pointsKept) points.splice(0, points.length - pointsKept);
  show(news.status);
  if (news.points.length) drawCharts();
}

// --- changes ---

let answered = null;

// askFor opens the dialog of a change, or of the token alone, and resolves when it is
// done. What is asked has: command, title, what it does, fields of the body, a knob
// whose value is asked for, and a list of what would be undone.
function askFor({ command, title = 'Token', what = '', fields = {}, knob, now, undo }) {
  const dialog = $('ask');
  $('ask-title').textContent = title;
  $('ask-what').replaceChildren(what);
  $('ask-yes').textContent = command ? title.split(' ')[0] : 'Use it';
  $('ask-yes').className = undo ? 'danger' : '';
  for (const p of dialog.querySelectorAll('.who')) p.hidden = !command;
  $('ask-who').required = $('ask-why').required = !!command;
  $('ask-token-box').hidden = proven && !!command;
  $('ask-token').required = !$('ask-token-box').hidden;
  $('ask-token').value = token;
  $('ask-value-box').hidden = $('ask-value').disabled = !knob; // what is not asked for is not checked
  if (knob) {
    const v = $('ask-value');
    v.required = true; v.min = knob.low; v.max = knob.high; v.step = knob.kind === 'float' || knob.kind === 'duration' ? 'any' : 1; v.value = now ?? '';
    $('ask-value-rule').textContent = knob.kind === 'switch' ? '0 is off, 1 is on.'
      : `${knob.levels ? 'One of ' + knob.levels.map(value).join(', ') : `${value(knob.low)} to ${value(knob.high)}`}${knob.unit ? ', ' + knob.unit : ''}.`;
  }
  $('ask-sure-box').hidden = !undo;
  $('ask-sure').required = !!undo; $('ask-sure').checked = false;
  if (undo) {
    const list = el('ul');
    list.append(...undo.map((line) => el('li', line)));
    $('ask-what').after(list); list.id = 'ask-undo';
  }
  $('ask-problem').textContent = '';
  const from = document.activeElement?.dataset.key;
  if (!dialog.open) dialog.showModal();
  ['ask-value', 'ask-token', 'ask-who'].map($).find((f) => f.required && !f.disabled && (f.id !== 'ask-token' || !f.value))?.focus();
  return new Promise((done) => {
    answered = async (yes) => {
      if (yes) {
        if (!$('ask-token-box').hidden) { token = $('ask-token').value.trim(); proven = false; }
        if (command) {
          if (knob) fields.value = Number($('ask-value').value);
          $('ask-yes').disabled = true;
          try {
            const r = await fetch('api/' + command, {
              method: 'POST', headers: { 'Content-Type': 'application/json', ...headers() },
              body: JSON.stringify({ who: $('ask-who').value.trim(), why: $('ask-why').value.trim(), ...fields }),
            });
            proven = r.status !== 401;
            if (!r.ok) {
              $('ask-problem').textContent = (await r.json()).error;
              $('ask-token-box').hidden = proven; $('ask-token').required = !proven;
              if (!proven) $('ask-token').select();
              return;
            }
          } catch (err) { $('ask-problem').textContent = `Not known whether it was done: ${err.message}`; return; }
          finally { $('ask-yes').disabled = false; }
          $('ask-why').value = '';
        }
      }
      document.getElementById('ask-undo')?.remove();
      answered = null;
      dialog.close();
      if (from && document.activeElement === document.body) document.querySelector(`[data-key="${CSS.escape(from)}"]`)?.focus();
      done();
    };
  });
}

const pinAsIs = (name, v, unit) => askFor({ command: 'pin', title: `Pin ${name}`, what: `It is held at ${value(v)}${unit ? ' ' + unit : ''} and not tried until it is unpinned.`, fields: { name } });
const pinAt = (name, now) => askFor({ command: 'pin-at', title: `Pin ${name} at a value`, what: 'It is put in force, without evidence, and held there until it is unpinned.', fields: { name }, knob: knobOf(name) ?? { low: '', high: '', kind: 'float' }, now });
const unpin = (name, pin) => askFor({ command: 'unpin', title: `Unpin ${name}`, what: `Pinned ${by(pin.by)}. What is in force stays, and may be tried again.`, fields: { name } });
const revert = (a) => askFor({ command: 'revert', title: `Revert ${a.optimization} ${a.move}`, what: `What trial ${a.trial} kept is undone. It is left alone for long: to keep it away for good, pin it.`, fields: { trial: a.trial } });

function revertAll() {
  const s = status, undo = [];
  for (const name of Object.keys(s.safe ?? {}).sort()) {
    if (s.safe[name] === s.initial?.[name]) continue;
    undo.push(pinOf(s, name) ? `${name} stays at ${value(s.safe[name])}: it is pinned` : `${name}: ${value(s.safe[name])} back to ${value(s.initial[name])}`);
  }
  return askFor({ command: 'revert-all', title: 'Revert all', what: 'The setting of the start is put in force, but for what is pinned, and the autopilot goes on.', undo: undo.length ? undo : ['everything is as it was at the start already'] });
}

$('ask').querySelector('form').addEventListener('submit', (e) => { e.preventDefault(); answered?.(true); });
$('ask-no').addEventListener('click', () => answered?.(false));
$('ask').addEventListener('cancel', (e) => { e.preventDefault(); answered?.(false); });
$('pause').addEventListener('click', () => askFor({ command: 'pause', title: 'Pause the autopilot', what: 'A candidate is withdrawn, and nothing is tried until somebody resumes it, after a restart too.' }));
$('resume').addEventListener('click', () => askFor({ command: 'resume', title: 'Resume the autopilot', what: status?.paused_by ? `It was paused ${by(status.paused_by.by)}.` : '' }));
$('revert-all').addEventListener('click', revertAll);
$('token').addEventListener('click', () => askFor({ what: 'Changes take it; from another machine, reading does too.' }));
$('all-knobs').addEventListener('change', () => status && showSetting(status));

for (const c of charts) makeChart(c);
const fit = new ResizeObserver(() => { for (const c of charts) { const width = $('chart-' + c.id).clientWidth; if (width && width !== c.plot.width) c.plot.setSize({ width, height: 200 }); } });
for (const c of charts) fit.observe($('chart-' + c.id));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => charts.forEach((c) => c.plot.redraw()));
follow();
