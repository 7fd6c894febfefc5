/** The page's style sheet: one set of variables for light, dark and print; pictures take their colours from the same classes. */

export const PAGE_STYLE = `
:root{color-scheme:light dark;--bg:#fff;--ink:#1b1f24;--soft:#59636e;--rule:#d8dee4;--panel:#f6f8fa;--good:#1a7f37;--bad:#c0262d;
--c0:#6e7781;--c1:#0969da;--c2:#8250df;--c3:#1a7f37;--c4:#bc4c00;--c5:#b3267a;
--o0:#4aa564;--o1:#d29922;--o2:#c0262d;--o3:#8250df;--o4:#b3267a;--o5:#bc4c00;--o6:#6e7781;--o7:#0969da;
--h1:#d6e6fa;--h2:#b0d0f5;--h3:#84b4ec;--h4:#5794dd;--h5:#3273c4;--h6:#1b529c;--h7:#0b2f66}
@media screen and (prefers-color-scheme:dark){:root{--bg:#0d1117;--ink:#e6edf3;--soft:#9198a1;--rule:#30363d;--panel:#161b22;--good:#3fb950;--bad:#f85149;
--c0:#9198a1;--c1:#58a6ff;--c2:#bc8cff;--c3:#3fb950;--c4:#f0883e;--c5:#f778ba;
--o0:#2ea043;--o1:#d29922;--o2:#f85149;--o3:#bc8cff;--o4:#f778ba;--o5:#f0883e;--o6:#9198a1;--o7:#58a6ff;
--h1:#17315a;--h2:#194279;--h3:#1c5296;--h4:#2b70c4;--h5:#4f94e6;--h6:#8bbcf6;--h7:#d8e9ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
main{max-width:1040px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 4px}h2{font-size:1.2rem;margin:44px 0 4px}h3{font-size:1rem;margin:24px 0 0}
p{margin:4px 0 12px;max-width:76ch}.soft{color:var(--soft)}
.verdict{display:inline-block;font-weight:700;letter-spacing:.04em;border-radius:6px;padding:2px 12px;margin:12px 0;color:#fff}
.verdict.good{background:#1a7f37}.verdict.bad{background:#b3202a}.verdict.open{background:#59636e}
.reasons,.notes{border-left:4px solid var(--bad);margin:0 0 16px;padding:2px 0 2px 32px}.notes{border-color:var(--rule)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:20px 0 8px}
.tile{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:12px 14px}
.tile b{display:block;font-size:1.45rem;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:.86rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:5px 12px 5px 0;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th{font-weight:600;color:var(--soft)}th:first-child,td:first-child,td.words,th.words{text-align:left}td.words{white-space:normal}
figure{margin:12px 0}svg{display:block;width:100%;height:auto;font-size:12.5px}
svg text{fill:var(--soft)}svg .figure{fill:var(--ink)}svg .name{font-weight:600}
.grid{stroke:var(--rule);stroke-width:1}.axis,.whisker{stroke:var(--soft);stroke-width:1.2}.track{fill:var(--panel)}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.dashed{stroke-dasharray:5 4}.thin{stroke-width:1.2}
${[0, 1, 2, 3, 4, 5].map((n) => `.c${n}{fill:var(--c${n})}.line.c${n}{stroke:var(--c${n});fill:none}svg .name.c${n}{fill:var(--c${n})}`).join('')}
.key.dashed{fill-opacity:.45}.faint{fill-opacity:.16}.haze{fill-opacity:.1}.seen{fill-opacity:.75}.line.ink{stroke:var(--ink)}.line.ring{fill:var(--bg)}
.good{fill:var(--good)}.bad{fill:var(--bad)}.line.good{stroke:var(--good);fill:none}.line.bad{stroke:var(--bad);fill:none}svg .name.good{fill:var(--good)}svg .name.bad{fill:var(--bad)}
${[1, 2, 3, 4, 5, 6, 7].map((n) => `.h${n}{fill:var(--h${n})}`).join('')}
${[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `.o${n}{fill:var(--o${n})}`).join('')}
details{margin:6px 0 0}summary{cursor:pointer;color:var(--soft);font-size:.9rem}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:14px;overflow-x:auto;font:13px/1.45 ui-monospace,"Liberation Mono",Menlo,monospace}
code{font:.92em ui-monospace,"Liberation Mono",Menlo,monospace}
@media (max-width:600px){td.words{min-width:9em}main{padding:20px 14px 40px}figure{overflow-x:auto}figure svg{min-width:640px}}
@media print{:root{--bg:#fff;--ink:#000;--soft:#444;--rule:#bbb;--panel:#f4f4f4}main{max-width:none;padding:0}h2{break-after:avoid}figure,table,.tiles{break-inside:avoid}
.verdict{border:1px solid #000;print-color-adjust:exact;-webkit-print-color-adjust:exact}svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`.trim().replaceAll('\n', '')
