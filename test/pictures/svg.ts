// What the pictures in docs/ are drawn with: elements of SVG, and colours that follow the reader's light or dark mode.

/** Lines of a graph, in an order that neighbours differ. Each can be read on white and on black. */
export const COLOURS = [
  '#3b82c4',
  '#e07b24',
  '#4a9a4a',
  '#d64f4f',
  '#9467bd',
  '#8c6d5a',
  '#d070a8',
  '#7f8a94',
] as const;

const STYLE = `
  text { font: 11px ui-sans-serif, system-ui, sans-serif; fill: #333 }
  .title { font-weight: 600 } .faint { fill: #777 } .small { font-size: 9px }
  .frame { fill: none; stroke: #ccc } .grid { stroke: #e4e4e4 } .page { fill: #fff } .band { fill: #e07b24; opacity: .13 }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd } .faint { fill: #999 } .frame { stroke: #444 } .grid { stroke: #2c2c2c } .page { fill: #0d1117 }
    .band { opacity: .25 }
  }`;

type Attributes = Readonly<Record<string, string | number>>;

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

const opened = (name: string, attributes: Attributes): string =>
  [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escaped(rounded(value))}"`)].join(' ');

/** A tenth of a pixel is enough. */
const rounded = (value: string | number): string =>
  typeof value === 'number' ? String(Math.round(value * 10) / 10) : value;

export const element = (name: string, attributes: Attributes): string => `<${opened(name, attributes)}/>`;

export const text = (x: number, y: number, content: string, attributes: Attributes = {}): string =>
  `<${opened('text', { x, y, ...attributes })}>${escaped(content)}</text>`;

/** @param description what is shown, for those who cannot see it */
export function picture(width: number, height: number, description: string, elements: readonly string[]): string {
  const head = opened('svg', { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, role: 'img' });
  const page = element('rect', { class: 'page', width, height });
  return `<${head}>\n<title>${escaped(description)}</title>\n<style>${STYLE}\n</style>\n${[page, ...elements].join('\n')}\n</svg>\n`;
}
