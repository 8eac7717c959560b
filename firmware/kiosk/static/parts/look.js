// @ts-check
import { css } from '../vendor/lit.js';

/** The look that all parts share: surfaces, type, buttons, columns. */
export const look = css`
  :host { box-sizing: border-box; }
  *, *::before, *::after { box-sizing: border-box; }
  bdi { text-align: -webkit-match-parent; text-align: match-parent; } /* a value keeps its own direction, not its own side */
  [hidden] { display: none !important; }
  h1, h2, h3, p, ul, ol, dl, dd { margin: 0; padding: 0; }
  ul, ol { list-style: none; }
  svg.icon { inline-size: 1.35em; block-size: 1.35em; flex: none; }
  :dir(rtl) > svg.icon.turns, :dir(rtl) > svg.progress { transform: scaleX(-1); }

  .content { flex: 1; min-block-size: 0; display: flex; flex-direction: column; gap: var(--gap); padding: var(--gap) var(--pad) calc(var(--mm) * 0.8); }
  .columns { flex: 1; min-block-size: 0; display: flex; flex-direction: var(--bar); gap: calc(var(--mm) * 3); }
  .columns > * { flex: 1 1 0; min-inline-size: 0; min-block-size: 0; }
  .columns > .wide { flex-grow: 1.13; }
  .stack { display: flex; flex-direction: column; gap: var(--gap); min-block-size: 0; }
  .row { display: flex; align-items: center; gap: var(--gap); min-inline-size: 0; }
  .spread { justify-content: space-between; }
  .wrap { flex-wrap: wrap; }
  .grow { flex: 1; min-inline-size: 0; min-block-size: 0; }
  .centre { align-items: center; justify-content: center; text-align: center; }
  .grid { display: grid; gap: var(--gap); }

  .card { background: var(--surface); border-radius: var(--radius); padding: var(--pad); }
  .small { font-size: var(--small); }
  .large { font-size: var(--large); line-height: 1.15; }
  .huge { font-size: var(--huge); line-height: 1; font-weight: 700; letter-spacing: -0.01em; }
  .quiet { color: var(--quiet); }
  .strong { font-weight: 700; }
  .label { font-size: var(--small); color: var(--quiet); font-weight: 600; }
  .ok { color: var(--ok); } .bad { color: var(--bad); } .warn { color: var(--warn-ink); }
  .two { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; overflow-wrap: anywhere; line-height: 1.16; padding-block-end: 0.06em; }
  .one { line-height: 1.25; white-space: nowrap; overflow-x: clip; overflow-y: visible; text-overflow: ellipsis; min-inline-size: 0; }
  .two:lang(ar), .one:lang(ar), .said:lang(ar), .what:lang(ar) { line-height: 1.4; } /* its letters reach further down */
  .two:lang(ar), .own:lang(ar) { padding-block: 0.3em; margin-block: -0.3em; }
  .chip { display: inline-flex; align-items: center; gap: calc(var(--mm) * 1); padding: calc(var(--mm) * 0.5) calc(var(--mm) * 1.8);
    border-radius: calc(var(--mm) * 4); background: var(--sunken); font-size: var(--small); font-weight: 600; white-space: nowrap; }
  .chip.money { background: var(--warn); color: var(--on-warn); }
  .callout { display: flex; gap: var(--gap); align-items: flex-start; background: var(--tint); border-radius: var(--radius); padding: calc(var(--mm) * 1.6) var(--pad); }
  .callout.caution { background: var(--warn); color: var(--on-warn); }
  .empty { flex: 1; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: var(--gap);
    color: var(--quiet); text-align: center; padding: var(--pad); }
  .empty svg.icon { inline-size: calc(var(--mm) * 12); block-size: calc(var(--mm) * 12); }

  .key { appearance: none; margin: 0; min-block-size: var(--target); min-inline-size: var(--target); padding: calc(var(--mm) * 0.6) calc(var(--mm) * 2.4);
    display: inline-flex; align-items: center; justify-content: center; gap: calc(var(--mm) * 1.6); position: relative;
    background: var(--raised); color: var(--ink); border: var(--line) solid var(--edge); border-radius: var(--radius);
    font: inherit; font-weight: 600; line-height: 1.08; text-align: center; touch-action: manipulation; cursor: pointer; overflow-wrap: break-word; hyphens: auto; }
  .key:active { background: var(--pressed); }
  .key:focus-visible { outline: calc(var(--mm) * 0.8) solid var(--accent); outline-offset: calc(var(--mm) * 0.5); }
  .key > .text { min-inline-size: 0; max-inline-size: 100%; }
  .key .one { display: block; max-inline-size: 100%; }
  .key.start { justify-content: flex-start; text-align: start; }
  .key.primary { min-block-size: var(--primary); background: var(--accent); color: var(--on-accent); border-color: transparent; font-size: calc(var(--mm) * 5); font-weight: 700; }
  .key.primary:active { filter: brightness(0.88); }
  .key.primary.quiet { background: var(--raised); color: var(--ink); border-color: var(--edge); }
  .key.danger { color: var(--bad); border-color: var(--bad); }
  .key.plain { background: transparent; border-color: transparent; }
  .key[aria-pressed="true"], .key[aria-checked="true"] { background: var(--tint); border-color: var(--accent); box-shadow: inset 0 0 0 calc(var(--mm) * 0.5) var(--accent); }
  .key.locked { background: var(--sunken); color: var(--quiet); border: var(--line) dashed var(--edge); cursor: not-allowed; }
  .key .why { display: block; font-size: var(--small); font-weight: 500; }
  .key .badge { background: var(--bad); color: var(--on-bad); border-radius: 1em; min-inline-size: 1.5em; padding: 0 0.35em; font-size: var(--small); line-height: 1.5; }

  .verdict { display: flex; align-items: center; gap: var(--gap); padding: calc(var(--mm) * 1.5) var(--pad); border-radius: var(--radius); min-block-size: calc(var(--mm) * 11); line-height: 1.1; flex: none; }
  .verdict svg.icon { inline-size: calc(var(--mm) * 7); block-size: calc(var(--mm) * 7); stroke-width: 3; }
  .verdict .said { display: flex; flex-direction: column; flex: 1; min-inline-size: 0; overflow-x: clip; }
  .verdict.none { background: var(--sunken); color: var(--quiet); font-weight: 600; }
  .verdict.ok { background: var(--ok); color: var(--on-ok); }
  .verdict.dup { background: var(--warn); color: var(--on-warn); }
  .verdict.wrong, .verdict.unknown, .verdict.rejected { background: var(--bad); color: var(--on-bad); }
  .code { display: inline-flex; align-items: baseline; max-inline-size: 100%; font-weight: 500; line-height: 1.15; overflow: hidden; }
  .code span { flex: none; font-size: 0.84em; margin-inline-end: 0.3em; } .code span:first-child { flex: 0 1 auto; min-inline-size: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .code b { flex: none; font-weight: 800; font-size: 1.12em; }

  .stop { inline-size: 100%; gap: calc(var(--mm) * 2); padding: 0 calc(var(--mm) * 2); }
  .stop rp-fit { font-size: calc(var(--mm) * 3.8); }
  .stop .no { flex: none; min-inline-size: calc(var(--mm) * 9); text-align: center; font-size: var(--large); font-weight: 700; }
  .stop .where { flex: 1; min-inline-size: 0; display: flex; flex-direction: column; gap: calc(var(--mm) * 0.3); }
  .stop .facts { display: flex; gap: calc(var(--mm) * 1.6); overflow: hidden; font-size: var(--small); align-items: center; line-height: 1.2; font-weight: 600; }
  .stop .facts > .some { display: flex; gap: inherit; overflow: hidden; flex: 1; min-inline-size: 0; }
  .stop .facts > .some > *, .stop .facts > .far { display: inline-flex; gap: calc(var(--mm) * 0.7); align-items: center; white-space: nowrap; flex: none; }
  .stop .facts .money { background: var(--warn); color: var(--on-warn); border-radius: calc(var(--mm) * 0.8); padding-inline: calc(var(--mm) * 0.8); }
  .stop .facts .far { margin-inline-start: auto; }
  .stop[aria-current] { background: var(--tint); border-color: var(--accent); box-shadow: inset 0 0 0 calc(var(--mm) * 0.4) var(--accent); }
  .stop.over { background: transparent; color: var(--quiet); border-color: var(--hair); }

  .goods { display: flex; align-items: center; gap: var(--gap); background: var(--surface); border-radius: var(--radius); padding-inline: calc(var(--mm) * 2); inline-size: 100%; font: inherit; color: var(--ink); }
  .goods .what { flex: 1; min-inline-size: 0; display: flex; flex-direction: column; line-height: 1.15; text-align: start; }
  .goods .how { flex: none; font-weight: 600; white-space: nowrap; max-inline-size: 40%; text-align: end; }
  .goods.scanned svg, .goods.scanned .how { color: var(--ok); }
  .goods.missing svg, .goods.missing .how { color: var(--warn-ink); }
  .goods.rejected svg, .goods.rejected .how { color: var(--bad); }

  rp-list { display: flex; gap: var(--gap); min-block-size: 0; flex: 1; inline-size: 100%; overflow: hidden; }
  rp-list > ul { flex: 1; min-inline-size: 0; display: grid; gap: var(--gap); align-content: start; touch-action: none; }
  rp-list > ul > li { min-inline-size: 0; display: flex; align-items: stretch; }
  rp-list > ul > li > * { flex: 1; min-inline-size: 0; }
  rp-list > .pages { display: flex; flex-direction: column; justify-content: space-between; gap: var(--gap); inline-size: var(--target); flex: none; }
  rp-list > .pages > .key { flex: 1 1 0; padding: 0; max-block-size: calc(var(--mm) * 22); }
  rp-list > .pages > .key.locked { border-style: solid; border-color: var(--hair); color: var(--edge); }
  rp-list[data-short] > .pages > .count { display: none; }
  rp-list > .pages > .count { text-align: center; font-size: var(--small); font-weight: 600; color: var(--quiet); white-space: nowrap; }

  .progress { block-size: calc(var(--mm) * 3); border-radius: calc(var(--mm) * 1.5); background: var(--sunken); overflow: hidden; inline-size: 100%; display: block; }
  .progress rect { fill: var(--accent); }
  .hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

  @media (orientation: portrait) {
    .columns { flex-direction: column; }
    .columns > *, .columns > .wide { flex: 0 0 auto; }
    .columns > .grow { flex: 1 1 0; }
    .stop .facts > .some { flex-wrap: wrap; row-gap: 0; }
  }
`;
