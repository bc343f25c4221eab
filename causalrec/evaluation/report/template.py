"""The report's template (Jinja2). A module and not a file, so that its hash is part of the stage's code."""

# ruff: noqa: E501

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ story.source }}, {{ story.day }}: {{ title }}</title>
<style>
:root { --ink: #0f172a; --soft: #475569; --muted: #64748b; --line: #e2e8f0; --good: #047857; --bad: #b91c1c; --open: #b45309; }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; color: var(--ink); margin: 0; background: #f6f8fb; }
main { max-width: 980px; margin: 0 auto; padding: 44px 24px 80px; }
header { border-bottom: 1px solid var(--line); padding-bottom: 14px; }
h1 { font-size: 27px; line-height: 1.25; margin: 0 0 6px; letter-spacing: -.01em; }
h2 { font-size: 19px; margin: 46px 0 4px; letter-spacing: -.005em; }
h3 { font-size: 14px; margin: 20px 0 4px; color: var(--soft); }
p { margin: 8px 0; }
.muted { color: var(--muted); font-size: 14px; }
.lead { color: var(--soft); font-size: 15px; margin: 0 0 10px; }
.card { background: #fff; border: 1px solid var(--line); border-radius: 12px; padding: 18px 22px; margin: 12px 0; }
.verdict { border-left: 7px solid var(--open); padding: 22px 24px; margin-top: 24px; }
.verdict.better { border-left-color: var(--good); } .verdict.not_better { border-left-color: var(--bad); }
.verdict strong { font-size: 21px; line-height: 1.3; display: block; margin-bottom: 8px; }
.numbers { display: flex; flex-wrap: wrap; gap: 14px; margin: 14px 0; }
.number { flex: 1 1 300px; background: #fff; border: 1px solid var(--line); border-radius: 12px; padding: 16px 20px; }
.number .name { color: var(--soft); font-size: 14px; }
.number .big { font-size: 25px; font-weight: 650; letter-spacing: -.01em; margin: 3px 0; }
.number .big small { font-size: 17px; color: var(--muted); font-weight: 500; }
.number .gain { font-weight: 600; font-size: 15px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: var(--muted); font-weight: 600; font-size: 13px; }
th, td { padding: 8px 12px 8px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td .small { display: block; color: var(--muted); font-size: 12px; font-weight: 400; }
td.main { font-weight: 650; }
.values td, .values th { padding-right: 8px; } .values td:first-child { min-width: 165px; }
img { max-width: 100%; display: block; margin: 12px auto; }
.tag { display: inline-block; border-radius: 20px; padding: 1px 10px; font-size: 12.5px; background: #fef3c7; color: #92400e; white-space: nowrap; }
.tag.answered { background: #d1fae5; color: #065f46; }
details { margin-top: 14px; } summary { cursor: pointer; font-weight: 600; color: var(--muted); }
.worry td { color: #92400e; }
dt { font-weight: 600; margin-top: 10px; } dd { margin: 0; color: #334155; }
footer { margin-top: 40px; }
@media print {
  body { background: #fff; font-size: 12.5px; } main { padding: 0; max-width: none; }
  .card, .number, tr, img { break-inside: avoid; } h2 { break-after: avoid; margin-top: 26px; }
}
</style>
</head>
<body><main>
<header>
<h1>Should the new recommendation policy be released?</h1>
<div class="muted"><b>{{ story.source }}</b>, {{ story.day }}. {{ story.about }}</div>
</header>

<div class="card verdict {{ story.verdict.decision.value }}">
<strong>{{ title }}</strong>
{{ story.verdict.reason }}
<p class="muted">{{ story.rule }} Learned on {{ story.train }}; judged on {{ story.judge }}, days that no fit has seen.</p>
</div>

<h2>What would change</h2>
<p class="lead">Satisfaction is how often a recommended slot gets a {{ story.satisfying }}{% if has_revenue %}; revenue is the margin on what is bought, per recommended slot{% endif %}.</p>
{% if cards %}
<div class="numbers">
{% for row in cards %}
<div class="number">
<div class="name">{{ "Satisfaction rate" if row.metric == "satisfaction" else "Revenue per recommendation" }}</div>
<div class="big"><small>{{ row["values"].logged_mean.value }} &rarr;</small> {{ row["values"].dr.value }}</div>
<div class="gain">{{ row.change }} <span class="muted">(95 % interval {{ row.change_interval }}) against the {{ row.baseline }}</span></div>
<div class="muted">What was logged: {{ row["values"].logged_mean.interval }}. New policy, doubly robust: {{ row["values"].dr.interval }}. Naive, the model's own
promise: {{ row["values"].dm.value }}.</div>
</div>
{% endfor %}
</div>
{% endif %}
{% if policies %}
<div class="card">
{% if "satisfaction" in plots %}<img alt="satisfaction of the new policy by estimator" src="data:image/png;base64,{{ plots.satisfaction }}">{% endif %}
{% if "revenue" in plots %}<img alt="revenue of the new policy by estimator" src="data:image/png;base64,{{ plots.revenue }}">{% endif %}
<div class="scroll"><table class="values">
<tr><th>policy, for whom</th><th class="n">logged now</th><th class="n">model alone<br>(DM)</th><th class="n">IPS</th><th class="n">SNIPS</th><th class="n">doubly robust<br>(DR)</th>{% if has_sheet %}<th class="n">answer<br>sheet</th>{% endif %}<th class="n">change</th></tr>
{% for row in policies %}
<tr><td><b>{{ row.policy }}</b>, {{ row.segment }}<span class="small">{{ row.metric }} of {{ row.words }}<br>{{ row.days }}</span></td>
<td class="n">{{ row["values"].logged_mean.value }}<span class="small">{{ row["values"].logged_mean.interval }}</span></td>
{% if row.status %}
<td colspan="4"><span class="tag">{{ row.status }}</span><span class="small">{{ row.reason }}</span></td>
{% else %}
{% for name in ("dm", "ips", "snips", "dr") %}
<td class="n {{ 'main' if name == 'dr' }}">{{ row["values"][name].value or "–" }}<span class="small">{{ row["values"][name].interval }}</span></td>
{% endfor %}
{% endif %}
{% if has_sheet %}
<td class="n">{% if "answer_sheet_mean" in row["values"] %}{{ row["values"].answer_sheet_mean.value }}<span class="small">{{ row["values"].answer_sheet_mean.interval }}</span>{% endif %}</td>
{% endif %}
<td class="n">{{ row.change }}<span class="small">{{ row.change_interval }}{% if row.change %}<br>{{ row.by }}, against the<br>{{ row.baseline }}{% endif %}</span></td></tr>
{% endfor %}
</table></div>
<p class="muted">"Logged now" is what happened. The others say what would have happened under the policy, in the slots as they were logged; the
doubly robust value (DR) decides. Below each value is its 95 % interval. The outcome model is read only on days that it never saw: DM is
of those days alone, and on others DR only weighs. An answer sheet is the plain mean of
logs that this very policy made, set aside from every fit: where there is one, the estimates beside it can be checked.</p>
{% if "answer_sheet" in plots %}<img alt="estimates beside the answer sheet" src="data:image/png;base64,{{ plots.answer_sheet }}">{% endif %}
</div>
{% else %}<div class="card">No policy could be judged: {{ story.verdict.reason }}</div>{% endif %}

<h2>{{ effects_heading }}</h2>
{% for sentence in leads %}<p class="lead">{{ sentence }}</p>
{% endfor %}
<div class="card">
{% if "effects" in plots %}<img alt="effects: naive, SNIPS and causal" src="data:image/png;base64,{{ plots.effects }}">{% endif %}
{% for row in effects %}
<p><span class="tag {{ row.status }}">{{ row.status_words }}</span> <b>{{ row.treatment }} &rarr; {{ row.outcome }}.</b> {{ row.verdict }}</p>
{% endfor %}
</div>

<h2>What could not be answered</h2>
<p class="lead">A gap is said, never filled.</p>
<div class="card">
{% if gaps %}
<table><tr><th>what</th><th>answer</th><th>why, and what would settle it</th></tr>
{% for gap in gaps %}<tr><td>{{ gap.subject }}</td><td><span class="tag">{{ gap.status }}</span></td><td>{{ gap.reason }}.</td></tr>
{% endfor %}</table>
{% else %}Everything that was asked has an answer.{% endif %}
</div>

<h2>How far to trust it</h2>
<p class="lead">Intervals are 95 %, clustered by {{ story.cluster.replace("_id", "") }}. A mean weight far from 1 would say that the logged action propensities do not cover the policy; few effective rounds, or few effective satisfied ones, that an interval is too short.</p>
<div class="card">
{% for group, lines in trust %}
<h3>{{ group }}</h3>
<table>{% for line in lines %}
<tr class="{{ 'worry' if line.worry }}"><td style="width:36%">{{ line.what }}</td><td class="n" style="width:20%">{{ line.number }}</td><td>{{ line.words }}</td></tr>
{% endfor %}</table>
{% else %}No effect, no policy and no model could be estimated, so there is nothing to trust or to doubt.
{% endfor %}
</div>

<h2>The causal graph</h2>
<p class="lead">What is taken to cause what. It decides which columns the effects are adjusted for.</p>
<div class="card">
{% if "graph" in plots %}<img alt="the causal graph" src="data:image/png;base64,{{ plots.graph }}">{% else %}There is no graph: {{ story.graph_reason }}.{% endif %}
{% for reason, columns in dropped %}<p class="muted"><b>Not in the graph ({{ reason }}):</b> {{ columns | join(", ") }}.</p>
{% endfor %}
{% if story.edges.height %}<p class="muted"><b>How sure:</b> {{ story.draws }}; a cause that nobody logged gives an edge that every draw finds.</p>
{% endif %}
{% for d in story.disagreements %}<p><span class="tag">second opinion</span> <b>{{ d.pc }}</b> is {% if d.fci == "none" %}no edge for{% else %}read as {{ d.fci }} by{% endif %} FCI, which allows for causes that nobody logged{% if d.share_of_draws is not none %} (in {{ "%.0f %%"|format(100 * d.share_of_draws) }} of the draws){% endif %}: {{ d.says }}.</p>
{% endfor %}
{% for c in story.conflicts %}<p><span class="tag">conflict</span> <b>{{ c.edge }}</b>: {{ c.says }}{% if c.p_value is not none %} (p = {{ "%.2g"|format(c.p_value) }}){% endif %}. {{ c.who }}{% if c.when %}, {{ c.when }}{% endif %}: {{ c.why }}.</p>
{% endfor %}
{% if story.edges.height %}<details><summary>All {{ story.edges.height }} edges</summary>
<div class="scroll"><table><tr><th>edge</th><th>from</th><th>strength</th><th>sure of the edge</th><th>of its direction</th><th>who, why</th></tr>
{% for e in story.edges.iter_rows(named=True) %}<tr><td>{{ e.source }} {{ "&rarr;"|safe if e.mark == "directed" else "&ndash;"|safe }} {{ e.target }}</td><td>{{ e.provenance }}</td>
<td>{{ "%.3f"|format(e.strength) if e.strength is not none }}</td><td>{{ "%.0f %%"|format(100 * e.confidence) if e.confidence is not none }}</td>
<td>{{ "%.0f %%"|format(100 * e.direction_confidence) if e.direction_confidence is not none and e.mark == "directed" }}</td><td>{% if e.who %}{{ e.who }}: {{ e.why }}{% endif %}</td></tr>
{% endfor %}
</table></div></details>
{% endif %}
</div>

<h2>Assumptions</h2>
<div class="card">
{% for row in effects if row.assumptions %}<p><b>{{ row.treatment }} &rarr; {{ row.outcome }}.</b> {{ row.assumptions }}</p>
{% endfor %}
<p><b>Policies.</b> They are judged slot by slot: the context of a slot, its position and the items above it are as the log showed them, and what comes of
an item depends on its own slot only. The logged action propensities are taken to be exact. Tomorrow is like the days judged.</p>
</div>

{% if story.attributes %}
<h2>What is known of users</h2>
<p class="lead">Each attribute that is mapped, and what it was used for. What is sensitive may be adjusted for, and is read by no policy unless policy.yaml allows it.</p>
<div class="card"><div class="scroll"><table><tr><th>attribute</th><th>kind</th><th>in the effects</th><th>in the policy</th></tr>
{% for use in story.attributes %}<tr><td>{{ use.name }}</td><td>{{ use.kind }}</td><td>{{ use.effects }}</td><td>{{ use.policy }}</td></tr>
{% endfor %}</table></div></div>
{% endif %}

{% if settings %}
<h2>Settings that shaped this</h2>
<p class="lead">Everything that somebody chose: the value, and where to change it (a file of the home's data folder, and the key in it).</p>
<div class="card">
{% for title, group in settings %}<details{{ " open" if loop.first }}><summary>{{ title }} ({{ group | length }})</summary>
<div class="scroll"><table><tr><th>where</th><th>value</th></tr>
{% for said in group %}<tr{% if said.changed %} class="worry"{% endif %}><td style="width:36%">{{ said.name }}</td><td>{{ said.value }}{% if said.changed %} <span class="small">the file has changed since {{ said.changed | join(", ") }} was made from it; build that again</span>{% endif %}</td></tr>
{% endfor %}</table></div></details>
{% endfor %}
</div>
{% endif %}

<h2>Words</h2>
<div class="card"><dl>
<dt>Policy</dt><dd>A way to choose what to recommend. The challenger is the newly trained one, the champion the one that serves; until the first release that is the logging policy, which made the logs.</dd>
<dt>Effect</dt><dd>What a treatment changes (recommending an item, for one): the outcome with it minus the outcome without it, for the same unit.</dd>
<dt>Naive</dt><dd>The plain difference between the units with and without the treatment, or what the model promises of its own policy. The first mixes the effect with the choice of who got the treatment; the second has been checked by nobody.</dd>
<dt>SNIPS, AIPW</dt><dd>Estimates of an effect that give every unit the weight it needs to make both arms alike; AIPW adds a model of the outcome and is right if either is.</dd>
<dt>IPS, DM, DR</dt><dd>The value of a policy from the logs of another: by weighting, by a model alone, and by both together.</dd>
<dt>Effective rounds</dt><dd>How many equally weighted rounds the weighted ones are worth. Few: the logs hardly ever show what the policy would do.</dd>
<dt>Overlap</dt><dd>Both arms are possible for every kind of unit.</dd>
<dt>95 % interval</dt><dd>A range that holds the truth in 95 of 100 such reports, if the assumptions hold.</dd>
<dt>Not identifiable</dt><dd>No amount of data of this kind can tell; another kind of data, or an experiment, could.</dd>
<dt>Not available</dt><dd>The source has no such column, or nobody has stated what only people can know.</dd>
<dt>Insufficient evidence</dt><dd>The question has an answer, but these data are too few or too one-sided to give it; more of them would.</dd>
</dl></div>
<footer class="muted">Made by causalrec from the tables off_policy_report, effect_report and evaluation_report of {{ story.day }}.</footer>
</main></body></html>
"""
