/** The one style of the page. Colours keep 4.5 to 1 against both grounds, and a word stands wherever a colour says something. */
export const style = `:root { color-scheme: light dark; --ground: #fff; --card: #f6f8fa; --text: #1f2328; --muted: #545d68; --line: #d1d9e0;
  --link: #0860c4; --on-link: #fff; --pass: #176f30; --warn: #7d4e00; --fail: #b91c28; --bar: #5b8fd1 }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --card: #161c25; --text: #e6edf3; --muted: #9aa4af; --line: #3a424d;
  --link: #6cb0ff; --on-link: #0d1117; --pass: #4cc860; --warn: #dba42c; --fail: #ff7b72; --bar: #4a86d8 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
a { color: var(--link) }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
.skip { position: absolute; left: -100rem }
.skip:focus { left: 1rem; top: .5rem; background: var(--ground); padding: .3rem .6rem }
header { background: var(--card); border-bottom: 1px solid var(--line) }
header > div, main, footer { max-width: 72rem; margin: 0 auto; padding: .7rem 1rem }
header > div { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: center; margin-right: auto }
nav a { padding: .2rem 0; text-decoration: none }
nav a[aria-current] { color: var(--text); font-weight: 600; border-bottom: 2px solid var(--link) }
nav .name { font-weight: 700; color: var(--text) }
footer { color: var(--muted); font-size: .9rem; padding-bottom: 2rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .8rem 0 .4rem }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem }
h1, h2, h3, p, li, td, dd { overflow-wrap: anywhere }
p { margin: .4rem 0 }
.muted { color: var(--muted) }
.pass { color: var(--pass) } .warn { color: var(--warn) } .fail { color: var(--fail) }
.state { font-weight: 600; white-space: nowrap }
.state::before { content: ""; display: inline-block; width: .6em; height: .6em; margin-right: .4em; border-radius: 50%; background: currentColor }
.state.warn::before { border-radius: 0 } .state.fail::before { border-radius: 0; transform: rotate(45deg) }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem 1rem; margin: .8rem 0 }
.card.warn { color: inherit; border-left: .35rem solid var(--warn) } .card.fail { color: inherit; border-left: .35rem solid var(--fail) }
.card > :first-child { margin-top: .2rem }
table { border-collapse: collapse; width: 100%; font-size: .94rem }
th, td { text-align: left; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { color: var(--muted); font-weight: 600; white-space: nowrap }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
td:first-child { overflow-wrap: break-word; min-width: 6rem }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
dl { margin: 0; font-size: .94rem }
dl > div { display: grid; grid-template-columns: minmax(7rem, 11rem) minmax(0, 1fr); gap: .6rem; padding: .4rem 0; border-bottom: 1px solid var(--line) }
dt { color: var(--muted); font-weight: 600; overflow-wrap: anywhere } dd { margin: 0 }
time { white-space: nowrap }
code { font: .9em/1.4 ui-monospace, monospace; overflow-wrap: anywhere }
form { margin: 0 } form.search { display: flex; gap: .4rem; flex: 0 1 22rem } form.search input { flex: 1 1 8rem; min-width: 0 }
.buttons, .deciding { display: flex; flex-wrap: wrap; gap: .4rem .6rem } .deciding { margin-top: .9rem }
main form.search { max-width: 30rem; margin: .6rem 0 }
td .buttons { gap: .3rem } td button { padding: .1rem .6rem; font-size: .9rem }
form[data-sent] button { opacity: .55; cursor: progress }
.live { position: sticky; bottom: 0; max-width: 72rem; margin: 0 auto }
.live > * { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: 0 1rem .5rem; padding: .3rem .8rem }
.live p { margin: .1rem 0 } .live > :empty { display: none } #news:not([hidden]) { padding: .3rem .8rem; font-weight: 600 }
label { display: block; font-weight: 600; margin-bottom: .2rem }
input { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--muted); border-radius: .35rem; padding: .35rem .6rem; max-width: 100% }
button { font: inherit; font-weight: 600; cursor: pointer; border-radius: .35rem; padding: .35rem .9rem; border: 1px solid var(--muted);
  background: var(--ground); color: var(--text) }
button.main { background: var(--link); border-color: var(--link); color: var(--on-link) }
button.plain { border: 0; background: none; color: var(--link); padding: .2rem 0; font-weight: 400 }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem }
figure { margin: 0 } figcaption { font-size: .9rem; color: var(--muted); margin: .3rem 0 .8rem }
svg { display: block; width: 100%; height: 5.5rem; border-bottom: 1px solid var(--muted) }
rect { fill: var(--bar) } rect.warn { fill: var(--warn) } rect.fail { fill: var(--fail) }
del { color: var(--muted) } ins { text-decoration: none; font-weight: 600 }
@media (max-width: 44rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  table, tbody, tr, td { display: block } tr { border-bottom: 1px solid var(--line); padding: .5rem 0 }
  td, td.number { border: 0; padding: .1rem 0; text-align: left }
  td:empty { display: none }
  td { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: .6rem; overflow-wrap: anywhere }
  td::before { content: attr(data-head); color: var(--muted) }
  dl > div { grid-template-columns: 7rem minmax(0, 1fr) }
  form.search { flex: 1 1 100% }
}`;
