// check.mjs TOOLS CHROMIUM PICTURES PAGE...: what check says.
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [tools, chromium, pictures, ...pages] = process.argv.slice(2)
const tool = createRequire(join(tools, 'node_modules', 'index.js'))
const puppeteer = tool('puppeteer-core')
const axe = tool.resolve('axe-core/axe.min.js')

const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'] })
let checked = 0
let wrong = 0
const complain = (text) => {
  wrong += 1
  console.log(text)
}
for (const file of pages) {
  for (const scheme of ['light', 'dark']) {
    for (const width of [360, 1280]) {
      const name = `${basename(file).replace(/^.*__|\.snap|\.html$/g, '')}-${scheme}-${width}`
      const page = await browser.newPage()
      page.on('request', (request) => request.url().startsWith('file:') || complain(`${name}: it asks for ${request.url()}`))
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      await page.setViewport({ width, height: 900 })
      await page.goto(pathToFileURL(file).href)
      await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      if (overflow > 0) complain(`${name}: ${overflow} pixels wider than the window`)
      await page.addScriptTag({ path: axe })
      const { violations, passes } = await page.evaluate(() => window.axe.run())
      if (passes.length === 0) complain(`${name}: axe-core looked at nothing`)
      for (const { id, help, nodes } of violations) {
        for (const node of nodes) complain(`${name}: ${id}: ${help}: ${node.html}`)
      }
      checked += 1
      await page.close()
    }
  }
}
await browser.close()
console.log(`${checked} views of ${pages.length} pages, ${wrong} complaints`)
process.exit(wrong > 0 || checked === 0 ? 1 : 0)
