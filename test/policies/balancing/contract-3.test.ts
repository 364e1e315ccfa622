import { checkEveryOther } from './contract-all.ts';

checkEveryOther(2);
