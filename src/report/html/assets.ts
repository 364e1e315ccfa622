/** Vega and its expression interpreter as one classic script. The interpreter stands in for `new Function`, which a strict content
 *  security policy forbids; it is published as a module only, so its import and export lines are rewritten here. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { invariant } from '../../core/errors.ts';

export async function vegaScript(): Promise<string> {
  const { resolve } = createRequire(import.meta.url);
  const [vega, interpreter] = await Promise.all([
    readFile(join(dirname(resolve('vega')), 'vega.min.js'), 'utf8'),
    readFile(resolve('vega-interpreter'), 'utf8'),
  ]);
  const script = `${withoutMapLine(vega)}\nvar vegaInterpreter = (() => {\n${asFunctionBody(interpreter)}\n})();\n`;
  invariant(!/<\/script|<!--/i.test(script), 'the Vega scripts can stand inside an HTML page');
  return script;
}

function asFunctionBody(module: string): string {
  const body = withoutMapLine(module)
    .replace(/^import \{([^}]*)\} from 'vega-util';$/m, 'const {$1} = vega;')
    .replace(/^export \{ (\w+) as expressionInterpreter \};$/m, 'return $1;');
  invariant(!/^(import|export)\b/m.test(body) && body.includes('return '), 'vega-interpreter has the form this version expects');
  return body;
}

const withoutMapLine = (script: string): string => script.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '');
