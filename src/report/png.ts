/** A chart as PNG, at twice its size. Needs the optional package @resvg/resvg-js and a font: without one, all text would silently be
 *  missing, so that is refused. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../core/errors.ts';

export interface PngOptions {
  /** Font files to use instead of those found on this machine; the first pair that exists is taken. */
  readonly fonts?: readonly FontFace[];
  readonly scale?: number;
}
export interface FontFace {
  readonly family: string;
  readonly regular: string;
  readonly bold: string;
}

export async function renderPng(svg: string, { fonts = usualFonts(), scale = 2 }: PngOptions = {}): Promise<Uint8Array> {
  const { Resvg } = await loadResvg();
  const face = fonts.find((each) => existsSync(each.regular));
  if (face === undefined) {
    throw InputError.of(
      'no-font',
      'found none of the fonts DejaVu Sans, Liberation Sans and Arial, and without a font a PNG has no text',
      'install one, as with `apt-get install fonts-dejavu-core`, or write SVG',
    );
  }
  const image = new Resvg(svg, {
    font: {
      loadSystemFonts: false,
      fontFiles: [face.regular, face.bold].filter((file) => existsSync(file)),
      defaultFontFamily: face.family,
      sansSerifFamily: face.family,
    },
    fitTo: { mode: 'zoom', value: scale },
    background: 'white',
  });
  return image.render().asPng();
}

async function loadResvg(): Promise<typeof import('@resvg/resvg-js')> {
  try {
    return await import('@resvg/resvg-js');
  } catch (error) {
    throw InputError.of(
      'no-png',
      `PNG needs the optional package @resvg/resvg-js, which cannot be loaded (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`,
      'npm install @resvg/resvg-js, or write SVG',
    );
  }
}

/** Where Linux distributions, macOS and Windows keep them. */
function usualFonts(): FontFace[] {
  const folders = {
    'DejaVu Sans': [
      '/usr/share/fonts/truetype/dejavu',
      '/usr/share/fonts/TTF',
      '/usr/share/fonts/dejavu',
      '/usr/share/fonts/dejavu-sans-fonts',
      '/usr/local/share/fonts',
    ],
    'Liberation Sans': [
      '/usr/share/fonts/truetype/liberation',
      '/usr/share/fonts/truetype/liberation2',
      '/usr/share/fonts/liberation',
      '/usr/share/fonts/liberation-sans',
    ],
    Arial: ['/System/Library/Fonts/Supplemental', '/Library/Fonts', 'C:\\Windows\\Fonts'],
  };
  const files: Readonly<Record<string, readonly [string, string]>> = {
    'DejaVu Sans': ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'],
    'Liberation Sans': ['LiberationSans-Regular.ttf', 'LiberationSans-Bold.ttf'],
    Arial: ['Arial.ttf', 'Arial Bold.ttf'],
  };
  return Object.entries(folders).flatMap(([family, places]) =>
    places.map((place) => ({ family, regular: join(place, files[family]![0]), bold: join(place, files[family]![1]) })),
  );
}
