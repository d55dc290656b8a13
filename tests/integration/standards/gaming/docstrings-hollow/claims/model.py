"""Doc."""

import pickle
import sys

import numpy as np
import pandas as pd
from sklearn.linear_model import GammaRegressor, PoissonRegressor
from sklearn.preprocessing import StandardScaler

from claims.utils import band, load

DATA = "/home/anna/share/claims/train.csv"
RESULTS = {}


def run(mode, path, out):
    """Doc."""
    global RESULTS
    if mode == "train":
        df = load(path)
        df["band"] = df["age"].apply(band)
        X = pd.get_dummies(df[["band", "region"]])
        X["income"] = np.log(df["income"] + 1)
        X["bonus"] = df["bonus"]
        scaler = StandardScaler()
        X[["income", "bonus"]] = scaler.fit_transform(X[["income", "bonus"]])
        columns = list(X.columns)
        freq = PoissonRegressor(alpha=0.0, max_iter=1000)
        freq.fit(X, df["claims"] / df["exposure"], sample_weight=df["exposure"])
        sev_rows = df["claims"] > 0
        sev = GammaRegressor(alpha=0.0, max_iter=1000)
        sev.fit(X[sev_rows], df["cost"][sev_rows] / df["claims"][sev_rows])
        model = {"freq": freq, "sev": sev, "scaler": scaler, "columns": columns}
        with open(out, "wb") as f:
            pickle.dump(model, f)
        pred = freq.predict(X) * sev.predict(X)
        RESULTS["mean"] = pred.mean()
        RESULTS["rows"] = len(df)
        print("trained", RESULTS)
        if RESULTS["mean"] > 1000:
            print("mean is high")
        elif RESULTS["mean"] < 10:
            print("mean is low")
        else:
            print("mean is fine")
    elif mode == "score":
        with open("model.pkl", "rb") as f:
            model = pickle.load(f)
        df = load(path)
        df["band"] = df["age"].apply(band)
        X = pd.get_dummies(df[["band", "region"]])
        X["income"] = np.log(df["income"] + 1)
        X["bonus"] = df["bonus"]
        scaler = StandardScaler()
        X[["income", "bonus"]] = scaler.fit_transform(X[["income", "bonus"]])
        for column in model["columns"]:
            if column not in X:
                X[column] = 0
        X = X[model["columns"]]
        visits = model["freq"].predict(X)
        cost = model["sev"].predict(X)
        premium = visits * cost * 1.25
        result = []
        for i in range(len(df)):
            p = premium[i]
            if df["region"].iloc[i] == "north":
                if df["age"].iloc[i] > 65:
                    p = p * 1.1
                else:
                    p = p * 1.05
            elif df["region"].iloc[i] == "south":
                if df["bonus"].iloc[i] > 3:
                    p = p * 0.9
                elif df["bonus"].iloc[i] > 1:
                    p = p * 0.95
            if p < 18:
                p = 18
            if p > 5000:
                p = 5000
            result.append(round(p, 2))
        df["visits"] = visits
        df["cost"] = cost
        df["premium"] = result
        df[["policy", "visits", "cost", "premium"]].to_csv(out, index=False)
        print("scored", len(df))
        if len(df) > 0:
            print("mean premium", df["premium"].mean())
            print("max premium", df["premium"].max())
            print("min premium", df["premium"].min())
    else:
        print("unknown mode", mode)
        sys.exit(1)


if __name__ == "__main__":
    run(sys.argv[1] if len(sys.argv) > 1 else "train", DATA, "model.pkl")
