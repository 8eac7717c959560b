// The one door to Lit: the page imports from here and knows neither its packages nor their layout.

export {css, LitElement, unsafeCSS} from './lit-element/lit-element.js';
export {html, noChange, nothing, render, svg} from './lit-html/lit-html.js';
export {classMap} from './lit-html/directives/class-map.js';
export {ifDefined} from './lit-html/directives/if-defined.js';
export {live} from './lit-html/directives/live.js';
export {createRef, ref} from './lit-html/directives/ref.js';
export {repeat} from './lit-html/directives/repeat.js';
export {when} from './lit-html/directives/when.js';
