/**
 * Owns: what a panel is here, and how Grafana is told of it.
 * Does not own: which panels there are (`boards/`).
 *
 * Invariants:
 * P1. A panel answers one question, which is its description, and its id never changes: links lead to it.
 */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  HeatmapCellLayout,
  LegendDisplayMode,
  LegendPlacement,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel as GrafanaPanel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  PanelBuilder as HeatmapBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapTooltipBuilder,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { opinionScores, type Target } from './targets.ts';

/** Grafana's ids of units. */
export type Unit =
  | 's'
  | 'short'
  | 'percentunit'
  | 'ops'
  | 'cpm'
  | 'currencyUSD'
  | 'bytes'
  | 'bool_yes_no'
  | 'none';

export interface Query {
  expr: string;
  legend: string;
  /** Shows traces behind the values. */
  exemplars?: boolean;
}

export type Threshold = { value: number | null; color: string };

export interface Panel {
  /** P1. */
  id: number;
  view: 'graph' | 'stacked' | 'stat' | 'heatmap' | 'timeline';
  title: string;
  question: string;
  unit: Unit;
  queries: readonly Query[];
  thresholds?: readonly Threshold[];
  width?: 6 | 8 | 12 | 24;
}

const colors = { good: 'green', bearable: 'yellow', warn: 'orange', page: 'red' } as const;

export const worseAbove = ({ good, warn, page }: Target): Threshold[] => [
  { value: null, color: colors.good },
  { value: good, color: colors.bearable },
  { value: warn, color: colors.warn },
  { value: page, color: colors.page },
];

/** Anything above nothing is worth a look. */
export const worseThanNone: readonly Threshold[] = [
  { value: null, color: colors.good },
  { value: 1e-9, color: colors.warn },
];

export const bestAtLeast = (good: number): Threshold[] => [
  { value: null, color: colors.page },
  { value: good, color: colors.good },
];

export const worseAt = (bad: number): Threshold[] => [
  { value: null, color: colors.good },
  { value: bad, color: colors.page },
];

export const byOpinion: readonly Threshold[] = [
  { value: null, color: colors.page },
  { value: opinionScores.page, color: colors.warn },
  { value: opinionScores.warn, color: colors.bearable },
  { value: opinionScores.good, color: colors.good },
];

export const datasource = { type: 'prometheus', uid: '$datasource' } as const;

const heightOf: Record<Panel['view'], number> = { graph: 8, stacked: 8, stat: 4, heatmap: 8, timeline: 8 };
const widthOf: Record<Panel['view'], number> = { graph: 8, stacked: 8, stat: 6, heatmap: 12, timeline: 12 };

function targetOf(
  { expr, legend, exemplars = false }: Query,
  index: number,
  view: Panel['view'],
): DataqueryBuilder {
  const target = new DataqueryBuilder()
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .datasource(datasource)
    .expr(expr)
    .legendFormat(legend)
    .exemplar(exemplars);
  if (view === 'heatmap') target.format(PromQueryFormat.Heatmap);
  return view === 'stat' ? target.instant() : target.range();
}

const legend = (): VizLegendOptionsBuilder =>
  new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .calcs([]);

function graph(stacking: StackingMode, hasThresholds: boolean): GraphBuilder {
  const style = hasThresholds ? GraphThresholdsStyleMode.Dashed : GraphThresholdsStyleMode.Off;
  return new GraphBuilder()
    .legend(legend())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .min(0)
    .lineWidth(1)
    .fillOpacity(stacking === StackingMode.None ? 0 : 30)
    .showPoints(VisibilityMode.Auto)
    .stacking(new StackingConfigBuilder().mode(stacking))
    .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(style));
}

const heatmap = (unit: Unit): HeatmapBuilder =>
  new HeatmapBuilder()
    .calculate(false)
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    .scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Linear))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64))
    .yAxis(new YAxisConfigBuilder().unit(unit))
    .tooltip(new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true))
    .filterValues({ build: () => ({ le: 1e-9 }) })
    .showLegend();

function viewOf({
  view,
  unit,
  thresholds,
}: Panel): GraphBuilder | StatBuilder | HeatmapBuilder | TimelineBuilder {
  if (view === 'stat') return new StatBuilder();
  if (view === 'heatmap') return heatmap(unit);
  if (view === 'timeline') return new TimelineBuilder().legend(legend());
  return graph(view === 'stacked' ? StackingMode.Normal : StackingMode.None, thresholds !== undefined);
}

export interface RunbookLink {
  title: string;
  url: string;
}

const linkOf = ({ title, url }: RunbookLink): DashboardLinkBuilder =>
  new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url).targetBlank(true);

/** @param runbooks of the alerts that lead to this panel */
export function buildPanel(panel: Panel, runbooks: readonly RunbookLink[]): Builder<GrafanaPanel> {
  const { id, view, title, question, unit, queries, thresholds, width } = panel;
  const steps = [...(thresholds ?? [{ value: null, color: 'green' }])];
  return viewOf(panel)
    .id(id)
    .title(title)
    .description(question)
    .datasource(datasource)
    .unit(unit)
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
    .targets(queries.map((query, index) => targetOf(query, index, view)))
    .links(runbooks.map(linkOf))
    .height(heightOf[view])
    .span(width ?? widthOf[view]);
}
