// What the dashboards are checked against: Grafana's own types, each panel's options and field options by its kind.
import type * as board from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import type * as stat from './node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type * as table from './node_modules/@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type * as timeline from './node_modules/@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/types.gen';
import type * as timeseries from './node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';

export interface Types {
  dashboard: board.Dashboard;
  panel: board.Panel;
  row: board.RowPanel;
  kinds: {
    stat: { options: stat.Options; custom: {} };
    table: { options: table.Options; custom: table.FieldConfig };
    'state-timeline': { options: timeline.Options; custom: timeline.FieldConfig };
    timeseries: { options: timeseries.Options; custom: timeseries.FieldConfig };
  };
}
