// What the page's tests read it with: an HTML parser that is not a browser, and finds what one would.
import { type DefaultTreeAdapterTypes, parse } from 'parse5'

export interface PageElement {
  tag: string
  attributes: Readonly<Record<string, string>>
  /** Of itself and all within it, spaces as one. */
  text: string
}

/** Every element of a page in its order. */
export function elementsOf(html: string): PageElement[] {
  return within(parse(html)).flatMap(node =>
    'tagName' in node
      ? [
          {
            tag: node.tagName,
            attributes: Object.fromEntries(node.attrs.map(({ name, value }) => [name, value])),
            text: textOf(node).replaceAll(/\s+/g, ' ').trim(),
          },
        ]
      : [],
  )
}

function within(node: DefaultTreeAdapterTypes.Node): DefaultTreeAdapterTypes.Node[] {
  return [node, ...('childNodes' in node ? node.childNodes.flatMap(within) : [])]
}

function textOf(node: DefaultTreeAdapterTypes.Node): string {
  return 'value' in node ? node.value : 'childNodes' in node ? node.childNodes.map(textOf).join('') : ''
}
