/** Wires the sensors: load samples are classified, disk samples measured; process lists and faults pass unchanged. */
import { connect, filter, map, merge, type Observable } from 'rxjs';
import type { NodeInput } from '../pipelines/inputs.js';
import { classify, type Classified } from '../pipelines/load/classify.js';
import { measureDisk } from '../pipelines/load/measure-disk.js';
import { sense } from '../pipelines/load/sense.js';
import type { NodeContext } from './context.js';
import type { NodePorts } from './ports.js';

/** The inputs that come from the sensors. */
export function senseInputs(context: NodeContext, ports: NodePorts): Observable<NodeInput> {
  return sense(ports.sense).pipe(
    connect((sensed$) => {
      const load$ = sensed$.pipe(
        filter((sensed) => sensed.type === 'LoadSampled'),
        map((sensed) => sensed.sample),
      );
      const disk$ = sensed$.pipe(
        filter((sensed) => sensed.type === 'DiskSampled'),
        map((sensed) => sensed.sample),
      );
      const others$ = sensed$.pipe(filter((sensed) => sensed.type !== 'LoadSampled' && sensed.type !== 'DiskSampled'));
      const measures$ = measureDisk(disk$, context.settings.diskReserve);
      return merge(
        classify(load$, context.settings.trit, context.clock).pipe(map(toInput)),
        measures$.pipe(map((measure): NodeInput => ({ type: 'DiskMeasured', ...measure }))),
        others$,
      );
    }),
  );
}

function toInput({ sample, trit, changed }: Classified): NodeInput {
  return { type: 'LoadClassified', sample, trit, changed };
}
