import {declareKernel} from './declare-kernel.ts';

declareKernel('debian-6.1');
