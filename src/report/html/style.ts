/** How the report looks: one calm column, system fonts, charts on white cards also in the dark. */
export const pageStyle = `
:root { color-scheme: light dark; --ground: #f6f7f8; --card: #ffffff; --ink: #1a1d21; --soft: #59626b; --line: #dde1e5; --accent: #0b5cad;
  --good: #00734f; --bad: #a8320a; --open: #5b6470; --same: #0b5cad; --goodbed: #e2f4ec; --badbed: #fbe8e0; --openbed: #eceef1; --samebed: #e3eefb; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --card: #1d2125; --ink: #e8eaed; --soft: #a0a8b1; --line: #343a41; --accent: #7fb7f2;
  --good: #5fd3a4; --bad: #ff9d7a; --open: #b6bec8; --same: #7fb7f2; --goodbed: #143528; --badbed: #40221a; --openbed: #2b3036; --samebed: #17304a; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, "DejaVu Sans", sans-serif; }
main { max-width: 1020px; margin: 0 auto; padding: 40px 24px 80px; }
.skip { position: absolute; left: -9999px; } .skip:focus { left: 12px; top: 12px; background: var(--card); padding: 8px 12px; z-index: 30; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
h1 { font-size: 1.05rem; font-weight: 600; color: var(--soft); margin: 0; overflow-wrap: anywhere; }
.about { margin: 2px 0 0; color: var(--soft); overflow-wrap: anywhere; }
.verdict { font-size: 1.75rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.012em; margin: 20px 0 12px; text-wrap: balance; overflow-wrap: anywhere; }
.verdict.long { font-size: 1.3rem; letter-spacing: 0; text-wrap: wrap; }
.more { margin: 4px 0; font-size: 1.05rem; overflow-wrap: anywhere; }
.scale { margin: 18px 0 10px; color: var(--soft); }
.badge { display: inline-block; padding: 3px 12px; border-radius: 99px; font-size: .9rem; font-weight: 600; text-decoration: none; }
.badge.pass { background: var(--goodbed); color: var(--good); } .badge.fail { background: var(--badbed); color: var(--bad); }
section { margin-top: 48px; }
h2 { font-size: 1.3rem; margin: 0 0 14px; } h3 { font-size: 1rem; margin: 22px 0 8px; }
.hint { color: var(--soft); font-size: .88rem; margin: -8px 0 14px; }
figure { margin: 0 0 20px; background: #fff; color: #1a1d21; border: 1px solid var(--line); border-radius: 10px; overflow: hidden; break-inside: avoid; }
.plot { overflow-x: auto; padding: 8px 8px 0; min-height: 60px; } .plot svg, .plot canvas { display: block; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 8px; padding: 8px 16px; font-size: .85rem; color: #59626b; border-top: 1px solid #eceff1; }
.tools { display: flex; gap: 6px; }
button { font: inherit; font-size: .82rem; padding: 3px 11px; border-radius: 6px; border: 1px solid #cfd5da; background: #fff; color: #30363c; cursor: pointer; }
button:hover { background: #f0f3f5; }
figure details { border-top: 1px solid #eceff1; padding: 6px 16px; font-size: .85rem; }
summary { cursor: pointer; color: var(--soft); padding: 3px 0; } figure summary { color: #59626b; }
.rows { max-height: 360px; overflow: auto; margin: 6px 0; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin-bottom: 18px; }
.scroll table { width: 100%; }
table { border-collapse: collapse; font-size: .92rem; }
caption { text-align: left; color: var(--soft); font-size: .85rem; padding: 10px 14px 4px; }
th, td { text-align: left; padding: 8px 8px; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .85rem; vertical-align: bottom; }
tbody th { font-weight: 600; overflow-wrap: anywhere; } .name { min-width: 130px; max-width: 240px; }
th:first-child, td:first-child { padding-left: 14px; } .pass, .fail { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.rows th, .rows td { padding: 3px 10px; border-color: #eceff1; } .rows .number { text-align: right; }
.dense { font-size: .83rem; } .dense th, .dense td { padding: 5px 6px; } .dense th:first-child { padding-left: 14px; } .dense .name { min-width: 90px; max-width: none; white-space: nowrap; } .words { overflow-wrap: normal; } .words span { white-space: nowrap; }
.again { opacity: .35; font-weight: 400; }
small { display: block; color: var(--soft); font-weight: 400; font-size: .8rem; line-height: 1.35; overflow-wrap: anywhere; }
.number small { white-space: nowrap; } td { overflow-wrap: anywhere; } td.number, th code { white-space: nowrap; } .where { white-space: nowrap; color: var(--soft); font-size: .85rem; }
.swatch { margin-right: 8px; vertical-align: 1px; }
@media (prefers-color-scheme: dark) { .swatch { background: #fff; border-radius: 3px; } }
.chip { display: inline-block; padding: 1px 9px; border-radius: 99px; font-size: .82rem; font-weight: 600; background: var(--openbed); color: var(--open); white-space: nowrap; }
.chip.better { background: var(--goodbed); color: var(--good); } .chip.worse { background: var(--badbed); color: var(--bad); } .chip.equivalent { background: var(--samebed); color: var(--same); }
.pass { color: var(--good); font-weight: 600; } .fail { color: var(--bad); font-weight: 600; }
.notes { color: var(--soft); font-size: .9rem; padding-left: 20px; margin: 0 0 18px; overflow-wrap: anywhere; }
.highlighter { position: sticky; top: 0; z-index: 10; display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 40px -8px -28px; padding: 10px 8px; max-height: 92px; overflow: auto;
  background: var(--ground); border-bottom: 1px solid var(--line); font-size: .85rem; }
.highlighter span { color: var(--soft); margin-right: 4px; }
.highlighter button { background: #fff; max-width: 260px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.highlighter button[aria-pressed="true"] { box-shadow: inset 0 0 0 2px #0b5cad; font-weight: 600; }
dl { display: grid; grid-template-columns: minmax(110px, 170px) 1fr; gap: 6px 18px; margin: 0 0 18px; }
dt { color: var(--soft); overflow-wrap: anywhere; } dd { margin: 0; overflow-wrap: anywhere; } dd ul { margin: 0; padding-left: 18px; } dd code { display: inline-block; max-width: 100%; }
code { font: .88em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; overflow-x: auto; margin: 8px 0 18px; }
.command { user-select: all; white-space: pre-wrap; overflow-wrap: anywhere; }
section > details { margin-bottom: 14px; }
.tip { position: fixed; z-index: 20; pointer-events: none; background: #1a1d21; color: #fff; font-size: .8rem; line-height: 1.45; padding: 7px 10px; border-radius: 6px; max-width: 380px; overflow-wrap: anywhere; }
.tip[hidden] { display: none; } .tip div { display: flex; gap: 14px; justify-content: space-between; } .tip span { color: #b9c0c7; }
.notice { max-width: 1020px; margin: 0 auto; padding: 0 24px 40px; }
@media (max-width: 640px) { main { padding: 24px 14px 60px; } .verdict { font-size: 1.4rem; } dl { grid-template-columns: 1fr; gap: 0 0; } dd { margin-bottom: 10px; } }
@media print { :root { --ground: #fff; --card: #fff; } main { max-width: none; padding: 0; } .highlighter, .tools, .hint, .skip { display: none; } section { margin-top: 24px; }
  .plot svg, .plot canvas { max-width: 100%; height: auto; } }
`;
