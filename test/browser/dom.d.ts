// The types of the DOM that playwright's own types name. Nothing here uses them: pages are text for these tests.

interface Node {
  readonly nodeType: number;
}
interface HTMLElement extends Node {
  readonly hidden: boolean;
}
interface SVGElement extends Node {
  readonly viewportElement: SVGElement | null;
}
interface HTMLElementTagNameMap {
  readonly [tag: string]: HTMLElement;
}
