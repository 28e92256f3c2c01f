'use strict';
// The page of a running autopilot. What comes from the service is set as text,
// never as markup. The token is in memory only, and goes nowhere but into a header.

const $ = (id) => document.getElementById(id);
const el = (name, text, cls) => { const e = document.createElement(name); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };

let token = '';
let status = null;

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
const clock = (t) => new Date(t).toLocaleTimeString();

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
    axes: [{ ...axis, values: (u, ticks) => ticks.map((t) => new Date(t * 1000).toLocaleTimeString([], { hour12: false })), space: 90 }, { ...axis, size: 64, values: (u, ticks) => ticks.map(c.say) }],
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

function showSetting(s) {
  const rows = [];
  const all = $('all-knobs').checked;
  for (const name of Object.keys(s.initial ?? {}).sort()) {
    const was = s.initial[name], kept = s.safe?.[name], now = s.in_force?.[name];
    if (!all && was === kept && (now === undefined || now === was)) continue;
    const row = el('tr');
    const head = el('th', name); head.scope = 'row';
    row.append(head, el('td', value(was)), el('td', value(kept), kept !== was ? 'kept' : ''), el('td', value(now)));
    rows.push(row);
  }
  $('setting').tBodies[0].replaceChildren(...rows);
  $('setting').hidden = rows.length === 0;
  $('setting-empty').hidden = rows.length > 0;
}

function showState(s) {
  const facts = [
    ['policy', s.policy], ['seed', String(s.seed)],
    ['noise measured', s.measured_of ? `${Math.min(s.measured, s.measured_of)} of ${s.measured_of} blocks` : unknown],
    ['error budget left', significant(s.wealth)],
    ['kept changes under audit', (s.audits ?? []).map((a) => `${a.optimization} ${a.move} (${a.done} done, evidence ${significant(a.evidence)} of 100)`).join('; ') || 'none'],
    ['verdicts', Object.entries(s.verdicts ?? {}).map(([k, n]) => `${n} ${k}`).join(', ') || 'none yet'],
    ['its own CPU', s.cpu_ratio ? (100 * s.cpu_ratio).toFixed(2) + ' % of a core' : unknown],
    ['alerts dropped', String(s.alerts_dropped ?? 0)],
  ];
  $('state').replaceChildren(...facts.flatMap(([k, v]) => [el('dt', k), el('dd', v)]));
  const blocked = Object.entries(s.blocked ?? {}).sort().map(([k, why]) => el('li', `${k}: ${why}`));
  $('blocked').replaceChildren(...(blocked.length ? blocked : [el('li', 'nothing is blocked', 'empty')]));
}

function show(s) {
  const ended = (a) => a ? a.ended + ' ' + a.id : '';
  const news = !status || ended(status.ended?.at(-1)) !== ended(s.ended?.at(-1));
  status = s;
  $('instance').textContent = s.instance ?? '';
  const why = s.stands_by || s.why;
  $('phase').textContent = why ? `${s.phase}: ${why}` : s.phase;
  const over = s.phase === 'ended';
  $('pause').disabled = over || s.phase === 'paused';
  $('resume').disabled = over || s.phase !== 'paused';
  showTrial(s.trial);
  showSetting(s);
  showState(s);
  if (news) showDecisions();
}

// --- decisions ---

const opened = new Set();

async function showDecisions() {
  let all;
  try { all = await get('api/decisions'); } catch { return; } // the stream says what is wrong
  if (!all.length) return;
  $('decisions').replaceChildren(...all.reverse().map(decision));
}

function decision(t) {
  const box = el('details');
  const line = el('summary');
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
  const say = metric.endsWith('_seconds') || metric.includes('seconds') ? seconds : significant;
  const table = el('table'), head = el('tr'), rows = el('tbody'), scroll = el('div', undefined, 'scroll');
  for (const h of ['pair', 'kept setting', 'candidate', 'difference', 'evidence for better']) { const th = el('th', h); th.scope = 'col'; head.append(th); }
  const heads = el('thead'); heads.append(head);
  for (const p of all) {
    const row = el('tr'), a = p.safe[metric], b = p.candidate[metric];
    row.append(el('td', String(p.pair)), el('td', say(a)), el('td', say(b)), el('td', percent(b / a - 1)), el('td', significant(p.effects?.[0]?.better ?? 1)));
    rows.append(row);
  }
  const caption = el('caption', goalName(metric)); caption.className = 'note';
  table.append(caption, heads, rows); scroll.append(table);
  scroll.tabIndex = 0;
  return scroll;
}

// --- the line to the service ---

const headers = () => token ? { Authorization: 'Bearer ' + token } : {};

async function get(path) {
  const r = await fetch(path, { headers: headers() });
  const body = await r.json();
  if (!r.ok) throw Object.assign(new Error(body.error ?? r.statusText), { status: r.status });
  return body;
}

function problem(text) { $('problem').textContent = text; $('problem').hidden = !text; }

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// follow reads the stream, and comes back when it breaks: sooner at first. It is
// read by fetch, since an EventSource can send no token.
async function follow() {
  for (let pause = 500; ; pause = Math.min(2 * pause, 10000)) {
    try {
      const r = await fetch('api/events', { headers: headers() });
      if (r.status === 401) { problem('From this machine the page takes the token.'); await askFor('token'); pause = 250; continue; }
      if (!r.ok) throw new Error((await r.json()).error ?? r.statusText);
      pause = 250;
      points.length = 0;
      status = null;
      problem('');
      const reader = r.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = ''; ;) {
        const { value: more, done } = await reader.read();
        if (done) break;
        text += more;
        for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) take(text.slice(0, end));
      }
      if (status?.phase === 'ended') { problem('The autopilot has ended; this is the last that it said.'); pause = 5000; }
      else problem('The connection ended; trying again …');
    } catch (err) {
      problem(`No connection (${err.message}); trying again …`);
      $('pause').disabled = $('resume').disabled = true;
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

function askFor(what) { // resolves when the dialog is done
  const dialog = $('ask'), change = what !== 'token';
  $('ask-title').textContent = { token: 'Token', pause: 'Pause the autopilot', resume: 'Let the autopilot go on' }[what];
  for (const p of dialog.querySelectorAll('.who')) p.hidden = !change;
  $('ask-who').required = $('ask-why').required = change;
  $('ask-token').value = token;
  $('ask-problem').textContent = '';
  if (!dialog.open) dialog.showModal();
  (token ? (change ? $('ask-who') : $('ask-token')) : $('ask-token')).focus();
  return new Promise((done) => {
    answered = async (yes) => {
      if (yes) {
        token = $('ask-token').value.trim();
        if (change) {
          $('ask-yes').disabled = true;
          try {
            const r = await fetch('api/' + what, {
              method: 'POST', headers: { 'Content-Type': 'application/json', ...headers() },
              body: JSON.stringify({ who: $('ask-who').value, why: $('ask-why').value }),
            });
            if (!r.ok) { $('ask-problem').textContent = (await r.json()).error; return; }
          } catch (err) { $('ask-problem').textContent = err.message; return; }
          finally { $('ask-yes').disabled = false; }
        }
      }
      dialog.close();
      done();
    };
  });
}

$('ask').querySelector('form').addEventListener('submit', (e) => { e.preventDefault(); answered?.(true); });
$('ask-no').addEventListener('click', () => answered?.(false));
$('ask').addEventListener('cancel', (e) => { e.preventDefault(); answered?.(false); });
$('pause').addEventListener('click', () => askFor('pause'));
$('resume').addEventListener('click', () => askFor('resume'));
$('token').addEventListener('click', () => askFor('token'));
$('all-knobs').addEventListener('change', () => status && showSetting(status));

for (const c of charts) makeChart(c);
const fit = new ResizeObserver(() => { for (const c of charts) { const width = $('chart-' + c.id).clientWidth; if (width && width !== c.plot.width) c.plot.setSize({ width, height: 200 }); } });
for (const c of charts) fit.observe($('chart-' + c.id));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => charts.forEach((c) => c.plot.redraw()));
follow();
