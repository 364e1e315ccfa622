/** What instances should reserve, beside what they do: one row per service and resource. */
import type { RunFile } from '../../lab/types.ts';
import { formatCpu } from '../../core/quantity.ts';
import { significant } from '../format.ts';
import { labelColumn } from './faults.ts';
import type { DataTable } from './table.ts';

const MIB = 1_048_576;

/** None where nobody was asked. */
export function sizeTables({ variants }: RunFile): DataTable[] {
  const rows = variants.flatMap(({ label, sizes }) => sizes.map((size) => ({ label, ...size })));
  if (rows.length === 0) return [];
  const amount = (resource: string, value: number): string => {
    if (!Number.isFinite(value)) return 'open';
    return resource === 'cpu' ? formatCpu(Math.round(value * 1000)) : `${significant(value / MIB, 3)} MiB`;
  };
  const column = (key: 'reserved' | 'lower' | 'target' | 'upper') => ({
    header: key,
    align: 'right' as const,
    cells: rows.map((row) => (key === 'reserved' && row.reserved === 0 ? 'nothing' : amount(row.resource, row[key]))),
  });
  return [
    {
      title: 'Sizes',
      about: 'What an instance should reserve. One that reserves less than lower or more than upper is worth changing.',
      columns: [
        labelColumn(
          'sizes',
          rows.map(({ label }) => label),
        ),
        { header: 'service', align: 'left', cells: rows.map(({ service }) => service) },
        { header: 'resource', align: 'left', cells: rows.map(({ resource }) => resource) },
        ...(['reserved', 'lower', 'target', 'upper'] as const).map(column),
      ],
    },
  ];
}
