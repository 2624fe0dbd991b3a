import {declareKernel} from '../../test/declare-kernel.ts';

await declareKernel('debian-6.1');
