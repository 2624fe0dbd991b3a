import {declareKernel} from './declare-kernel.ts';

await declareKernel('debian-6.12');
