"""CUSUM as Page defines it (Continuous inspection schemes, Biometrika 41, 1954, section 2): the path of the cumulated
deviations less the allowance, watched for a rise of more than the threshold above its lowest point so far."""


class Cusum:
    def __init__(self, target: float, unit: float, slack: float, threshold: float, direction: str):
        self.target, self.unit, self.slack, self.threshold = target, unit, slack, threshold
        self.signs = {"up": [1], "down": [-1], "both": [1, -1]}[direction]
        self.drift_detected = False
        self.paths = None

    def update(self, x: float) -> None:
        if self.paths is None or self.drift_detected:
            self.paths = {sign: [0.0] for sign in self.signs}
        z = (x - self.target) / self.unit
        for sign, path in self.paths.items():
            path.append(path[-1] + sign * z - self.slack)
        self.drift_detected = any(path[-1] - min(path) > self.threshold for path in self.paths.values())
