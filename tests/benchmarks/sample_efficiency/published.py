"""AUC top-10 as published (Gao et al. 2022; Kim et al. 2024; Tripp et al. 2023)."""

METHODS = ("REINVENT", "Graph GA", "Mol GA", "Genetic GFN")
_TABLE = """
albuterol_similarity .882 .838 .896 .949
amlodipine_mpo .635 .661 .688 .761
celecoxib_rediscovery .710 .630 .680 .802
deco_hop .666 .619 .649 .733
fexofenadine_mpo .784 .760 .825 .856
isomers_c7h8n2o2 .852 .862 .878 .969
isomers_c9h10n2o2pf2cl .642 .719 .865 .897
median1 .356 .294 .257 .379
median2 .276 .273 .301 .294
mestranol_similarity .618 .579 .591 .708
osimertinib_mpo .837 .831 .844 .860
perindopril_mpo .537 .538 .547 .595
qed .941 .940 .941 .942
ranolazine_mpo .760 .728 .804 .819
scaffold_hop .560 .517 .527 .615
sitagliptin_mpo .021 .433 .582 .634
thiothixene_rediscovery .534 .479 .519 .583
troglitazone_rediscovery .441 .390 .427 .511
valsartan_smarts .178 .000 .000 .135
zaleplon_mpo .358 .346 .519 .552
"""
# {oracle: AUC top-10 of the methods, in their order}.
PUBLISHED = {
    name: tuple(map(float, values))
    for name, *values in map(str.split, _TABLE.strip().splitlines())
}
