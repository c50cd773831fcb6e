import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import type { ChartRange, ChartSeries, ChartTone } from './time-chart'
import './time-chart.css'

const HEIGHT_PX = 168
const DAY_S = 86_400
/** Narrower drags are clicks of an unsteady hand. */
const DRAG_MIN_PX = 8

const VARIABLE: Record<ChartTone, string> = { accent: '--accent', quiet: '--n8', warn: '--warn', bad: '--bad' }

interface TimeChartCanvasProps {
  times: number[]
  series: ChartSeries[]
  format: (value: number) => string
  zoom: ChartRange | null
  onZoom: ((range: ChartRange) => void) | undefined
  at: number | null
  onAt: (index: number | null) => void
}

/** The drawn part of a chart; a chunk of its own, because only some pages have charts. */
export function TimeChartCanvas(props: TimeChartCanvasProps) {
  const { times, series, zoom, at } = props
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(null)
  const latest = useRef(props)
  useEffect(() => {
    latest.current = props
  })
  useEffect(() => {
    const element = box.current
    // Without a canvas the sentence and the values beside the chart still say it.
    if (!element || !document.createElement('canvas').getContext('2d')) return
    const data = [times.map((time) => time / 1000), ...series.map((item) => item.values)] as uPlot.AlignedData
    const chart = new uPlot(optionsOf(series, element.clientWidth, zoom, latest), data, element)
    plot.current = chart
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT_PX }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      chart.destroy()
      plot.current = null
    }
  }, [times, series, zoom])
  useEffect(() => {
    const chart = plot.current
    const time = at === null ? undefined : times[at]
    if (!chart || chart.cursor.idx === at) return
    chart.setCursor({ left: time === undefined ? -1 : chart.valToPos(time / 1000, 'x'), top: chart.over.clientHeight / 2 }, false)
  }, [at, times])
  return <div ref={box} className="h-[168px] w-full min-w-0 overflow-hidden" aria-hidden="true" />
}

function optionsOf(series: ChartSeries[], width: number, zoom: ChartRange | null, latest: { current: TimeChartCanvasProps }): uPlot.Options {
  const colours = getComputedStyle(document.documentElement)
  const colour = (name: string) => colours.getPropertyValue(name).trim()
  const axis = { stroke: colour('--n10'), font: '12px "Inter Variable", sans-serif', ticks: { show: false } }
  const grid = { stroke: colour('--n5'), width: 1 }
  return {
    width,
    height: HEIGHT_PX,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { drag: { x: latest.current.onZoom !== undefined, y: false, setScale: false, dist: DRAG_MIN_PX }, y: false, points: { size: 6 } },
    scales: {
      // A single point has no width: it gets an hour.
      x: zoom ? { min: zoom[0] / 1000, max: zoom[1] / 1000 } : { range: (_chart, min, max) => (max > min ? [min, max] : [min - 1800, max + 1800]) },
      y: { range: (_chart, _min, max) => [0, max > 0 ? max * 1.12 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 28, values: (_chart, splits) => tickWords(splits) },
      { ...axis, grid, size: 56, values: (_chart, splits) => splits.map((value) => latest.current.format(value)) },
    ],
    series: [{}, ...series.map((item) => drawn(item, colour(VARIABLE[item.tone])))],
    hooks: {
      setCursor: [(chart) => latest.current.onAt(chart.cursor.idx ?? null)],
      setSelect: [
        (chart) => {
          if (chart.select.width < DRAG_MIN_PX) return
          const edge = (px: number) => Math.round(chart.posToVal(px, 'x') * 1000)
          latest.current.onZoom?.([edge(chart.select.left), edge(chart.select.left + chart.select.width)])
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
    },
  }
}

function drawn({ look = 'line' }: ChartSeries, stroke: string): uPlot.Series {
  if (look === 'marks') return { stroke, width: 0, paths: () => null, points: { show: true, size: 7, fill: stroke } }
  return { stroke, width: 1.5, ...(look === 'dashed' && { dash: [5, 4] }) }
}

const clock = new Intl.DateTimeFormat('en-US', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const date = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric' })

/** Hours within a day or two, dates beyond. */
function tickWords(splits: number[]): string[] {
  const span = (splits.at(-1) ?? 0) - (splits[0] ?? 0)
  const words = span > 2 * DAY_S ? date : clock
  return splits.map((split) => words.format(split * 1000))
}
