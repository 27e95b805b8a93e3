/**
 * The stylesheet of the reports: one column on a phone, several on wider screens; light, dark and print. A table wider
 * than the screen has a shadow at the edge towards which it scrolls.
 */
import { colours } from './palette.js';

function variables(scheme: 'light' | 'dark'): string {
  return Object.entries(colours)
    .map(([name, value]) => `--${name}:${value[scheme]};`)
    .join('');
}

export const stylesheet = `
:root{color-scheme:light dark;${variables('light')}}
@media screen and (prefers-color-scheme:dark){:root{${variables('dark')}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;overflow-wrap:break-word;-webkit-text-size-adjust:100%}
main,footer{max-width:70rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:clamp(1.75rem,5vw,4rem)}
section{margin-top:clamp(2.25rem,5vw,3.75rem)}
h1,h2,h3{line-height:1.2;text-wrap:balance;margin:0}
h1{font-size:clamp(1.75rem,1.3rem + 2.2vw,2.75rem);letter-spacing:-.02em}
h2{font-size:clamp(1.25rem,1.1rem + .6vw,1.5rem);letter-spacing:-.01em;margin-bottom:.75rem}
h3{font-size:1.0625rem}
h3 small{font-weight:400;color:var(--muted)}
p{margin:.5rem 0;max-width:68ch}
.eyebrow,.aside,figcaption,caption{color:var(--muted);font-size:.875rem}
.eyebrow{margin:0 0 .5rem}
.subtitle{color:var(--muted);font-size:1.125rem;margin:.375rem 0 0;text-wrap:balance}
.verdict{font-size:clamp(1.125rem,1rem + .6vw,1.375rem);line-height:1.45;margin:1.25rem 0;max-width:60ch}
.notice{background:var(--notice);border-radius:.5rem;padding:.625rem .875rem;margin:0 0 .75rem;width:fit-content;max-width:76ch}
.comparison,.cards+.scroll{margin-top:1rem}
ul.notice{padding-left:2rem}
.flags li{margin:.375rem 0}
.flags strong{display:block}
.bar{display:flex;width:100%;height:.75rem;background:var(--grid);border-radius:.1875rem;overflow:hidden}
.bar span{border-right:1px solid var(--page)}
section>.bar{height:1.25rem}
td .bar{min-width:clamp(3.5rem,14vw,14rem)}
.legend{margin:.75rem 0;font-variant-numeric:tabular-nums}
.legend div{display:flex;gap:.5rem;justify-content:space-between;padding:.25rem 0;border-bottom:1px solid var(--line)}
.legend dd{margin:0;white-space:nowrap}
.legend small{display:inline-block;min-width:4rem;text-align:right;color:var(--muted)}
.swatch{display:inline-block;width:.75rem;height:.75rem;border-radius:.125rem;margin-right:.5rem}
.ids{max-width:none;font-size:.8125rem;color:var(--muted);font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.cards,.gallery,.two,.three{display:grid;gap:1rem;grid-template-columns:minmax(0,1fr)}
.cards{grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr))}
.card{background:var(--panel);border:1px solid var(--line);border-radius:.75rem;padding:1rem 1.125rem;min-width:0;break-inside:avoid}
.cards h3 span{border-bottom:.1875rem solid var(--series)}
.formula{color:var(--muted);margin:.375rem 0 0;font-family:ui-serif,Georgia,"DejaVu Serif",serif;font-style:italic}
.figures{display:grid;grid-template-columns:1fr 1fr;gap:.25rem 1rem;margin:.75rem 0}
.figures div{display:flex;flex-direction:column;justify-content:space-between;min-width:0}
.figures dt{font-size:.875rem;color:var(--muted);line-height:1.35}
.figures dd{margin:.125rem 0 0;font-size:clamp(1.625rem,1.3rem + 1.5vw,2.25rem);font-weight:650;line-height:1.2;font-variant-numeric:tabular-nums}
.figures small{display:block;font-size:.875rem;font-weight:400;color:var(--muted)}
figure{margin:0;min-width:0;break-inside:avoid}
figcaption{max-width:60ch;margin-top:.5rem}
.three figcaption{margin:0}
.three figcaption{color:var(--ink);font-weight:600;min-height:1.6em}
.figure svg{display:block;width:100%;height:auto;max-width:calc(var(--natural)*1.2)}
.three{gap:1.5rem;margin:1rem 0}
.two{gap:0 2.5rem}
.gallery{margin:1rem 0}
.example .row{display:flex;gap:.5rem;align-items:center;margin-top:.5rem}
.example img{image-rendering:pixelated;border-radius:.1875rem;flex:none;object-fit:contain}
.example img.wide{width:var(--small);height:auto}
.example img.tall{height:var(--small);width:auto}
.says{min-width:0;padding-left:.25rem;font-size:.9375rem;line-height:1.35}
.says p{margin:0 0 .25rem}
.says .aside{font-size:.8125rem}
.answer b{border-bottom:.125rem solid var(--series)}
.right{color:var(--good);font-weight:600}
.wrong{color:var(--bad);font-weight:600}
.probability{color:var(--muted);white-space:nowrap}
.says,.answer,.facts dd,h3{overflow-wrap:anywhere}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
details{margin:.5rem 0;border-top:1px solid var(--line)}
summary{cursor:pointer;padding:.5rem 0;font-size:.9375rem}
summary:hover{text-decoration:underline}
:focus-visible{outline:.125rem solid var(--series1);outline-offset:.125rem;border-radius:.25rem}
.scroll{position:relative;overflow-x:auto;background:linear-gradient(to right,var(--page) 40%,transparent) left/2.5rem 100% no-repeat local,linear-gradient(to left,var(--page) 40%,transparent) right/2.5rem 100% no-repeat local,linear-gradient(to right,var(--line),transparent) left/.75rem 100% no-repeat scroll,linear-gradient(to left,var(--line),transparent) right/.75rem 100% no-repeat scroll}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding-bottom:.5rem}
caption span{display:block;position:sticky;left:0;width:fit-content;max-width:min(100%,100vw - 2.5rem)}
th,td{padding:.375rem .5rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
tbody th{white-space:normal;min-width:5rem}
tr>.text{text-align:left}
tr>:first-child{text-align:left;padding-left:0}
thead th{color:var(--muted);font-weight:500}
.reading{display:grid;gap:1rem 2.5rem;margin:0}
.reading dt,.facts dt{font-weight:600}
.reading dd{margin:.125rem 0 0;max-width:60ch}
.facts{margin:.5rem 0 1.25rem;font-size:.9375rem}
.facts div{display:flex;flex-wrap:wrap;gap:0 .75rem;padding:.25rem 0}
.facts dt{min-width:7rem}
.facts dd{margin:0;min-width:0;flex:1 1 12rem}
pre{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;overflow-x:auto;font-size:.875rem;line-height:1.5}
.command{white-space:pre-wrap;overflow-wrap:anywhere}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
footer{margin-top:3.5rem;padding-bottom:2.5rem;color:var(--muted);font-size:.875rem}
@media (min-width:48rem){
th,td{padding:.375rem .75rem}
.three{grid-template-columns:repeat(3,minmax(0,1fr))}
.two,.reading{grid-template-columns:repeat(2,minmax(0,1fr))}
.gallery{grid-template-columns:repeat(auto-fill,minmax(min(100%,27rem),1fr))}
.example img.wide{width:var(--large)}
.example img.tall{height:var(--large)}
}
@media print{
body{font-size:10pt}
main,footer{max-width:none}
section{margin-top:1.5rem}
.scroll{overflow:visible;background:none}
th,td{white-space:normal;overflow-wrap:anywhere}
.notice{border:1px solid var(--line)}
details::details-content{content-visibility:visible;height:auto}
}
`;
