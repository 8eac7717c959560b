// @ts-check

// Drawn by the processor, a map takes most of it and is shown at a few frames a second: the unit has other work.
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** @type {{renderer: string | null, usable: boolean} | undefined} */
let probed;

/**
 * What this browser can draw with, asked once: the renderer's name, null without WebGL2 (which MapLibre needs), and whether it is hardware.
 * The graphics driver of a Raspberry Pi 3 has no WebGL2; on a Pi 4 and 5 it is there.
 */
export function webgl() {
  probed ??= probe();
  return probed;
}

function probe() {
  const gl = document.createElement('canvas').getContext('webgl2');
  if (!gl) return { renderer: null, usable: false };
  const named = gl.getExtension('WEBGL_debug_renderer_info');
  const renderer = String(gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension('WEBGL_lose_context')?.loseContext(); // a browser has few of them
  return { renderer, usable: !SOFTWARE.test(renderer) };
}
