// @ts-check
import { html, css } from '../vendor/lit.js';
import { Part } from '../element.js';
import { t, word } from '../i18n.js';
import { icon } from './icons.js';
import { look } from './look.js';

/** Where a proof stands: its steps, done, now and to do. */
class Steps extends Part {
  static properties = { steps: { attribute: false }, word: { attribute: false } };

  static styles = [look, css`
    :host { display: block; flex: none; }
    ol { display: flex; gap: calc(var(--mm) * 1.5); }
    li { flex: 1 1 0; min-inline-size: 0; display: flex; align-items: center; justify-content: center; gap: calc(var(--mm) * 1.2); font-size: var(--small); font-weight: 600; color: var(--quiet);
      padding-block: calc(var(--mm) * 0.8); border-block-end: calc(var(--mm) * 1) solid var(--hair); }
    @media (orientation: portrait) { li:not(.now) .one { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); } li.now { flex: 0 0 auto; padding-inline: calc(var(--mm) * 1); } }
    li.done { color: var(--ok); border-color: var(--ok); }
    li.now { color: var(--ink); border-color: var(--accent); flex-grow: 1.4; font-weight: 700; }
  `];

  constructor() {
    super();
    /** @type {{name: string, state: string}[]} */
    this.steps = [];
  }

  render() {
    return html`<ol aria-label=${t('steps.label')}>${(this.steps ?? []).map((/** @type {{name: string, state: string}} */ step) =>
      html`<li class=${step.state} aria-current=${step.state === 'now' ? 'step' : 'false'}>${icon(step.state === 'done' ? 'ok' : step.name)}
        <span class="one">${word('step', step.name)}</span><span class="hidden">${word('stepstate', step.state)}</span></li>`)}</ol>`;
  }
}

customElements.define('rp-steps', Steps);
