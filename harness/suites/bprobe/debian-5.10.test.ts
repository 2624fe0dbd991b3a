import {declareKernel} from '../../test/declare-kernel.ts';

await declareKernel('debian-5.10');
