"""Earth pressure on the sheet piles of quay 4, and how deep they must stand.

Blum's method, per metre of wall. Lengths in m, forces in kN.
"""

from dataclasses import dataclass
from math import radians, tan


@dataclass(frozen=True)
class Soil:
    density: float  # kN/m³, wet
    friction: float  # degrees

    @property
    def active(self) -> float:
        return tan(radians(45 - self.friction / 2)) ** 2

    @property
    def passive(self) -> float:
        return tan(radians(45 + self.friction / 2)) ** 2


WATER = 10.0  # kN/m³


def moment_about_anchor(
    soil: Soil, height: float, anchor: float, load: float, depth: float, behind: float = 0.0
) -> float:
    """Positive: the wall stands. `behind`: how much higher the water is behind the wall than before it."""
    whole = height + depth
    pushes = [
        (WATER * behind * (whole - behind / 2), (whole + behind) / 2 - anchor),
        (0.5 * soil.density * whole**2 * soil.active, whole * 2 / 3 - anchor),
        (load * whole * soil.active, whole / 2 - anchor),
    ]
    holds = 0.5 * soil.density * depth**2 * soil.passive
    return holds * (height + depth * 2 / 3 - anchor) - sum(force * arm for force, arm in pushes)


def needed_depth(soil: Soil, height: float, anchor: float, load: float, behind: float = 0.0) -> float:
    depth = 0.0
    while moment_about_anchor(soil, height, anchor, load, depth, behind) < 0:
        depth += 0.01
    return depth * 1.2


if __name__ == "__main__":
    sand = Soil(density=19.0, friction=32.5)
    for load in (20, 40, 60):
        for behind in (0.0, 1.4):
            depth = needed_depth(sand, height=8.4, anchor=1.6, load=load, behind=behind)
            print(f"{load:3} kN/m², water {behind:.1f} m higher: piles must stand {depth:.2f} m deep")
