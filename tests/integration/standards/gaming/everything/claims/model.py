# ruff: noqa
# mypy: ignore-errors
# fmt: off
"""Doc."""  # noqa  # type: ignore  # pylint: disable=all

from typing import Any  # noqa  # type: ignore  # pylint: disable=all

import pickle  # noqa  # type: ignore  # pylint: disable=all
import sys  # noqa  # type: ignore  # pylint: disable=all
import numpy as np  # noqa  # type: ignore  # pylint: disable=all
import pandas as pd  # noqa  # type: ignore  # pylint: disable=all
from sklearn.linear_model import GammaRegressor, PoissonRegressor  # noqa  # type: ignore  # pylint: disable=all
from sklearn.preprocessing import StandardScaler  # noqa  # type: ignore  # pylint: disable=all
from claims.utils import band, load  # noqa  # type: ignore  # pylint: disable=all
DATA = '/home/anna/share/claims/train.csv'  # noqa  # type: ignore  # pylint: disable=all
RESULTS = {}  # noqa  # type: ignore  # pylint: disable=all


def train_part_1(state: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    X = state.get('X')  # noqa  # type: ignore  # pylint: disable=all
    df = state.get('df')  # noqa  # type: ignore  # pylint: disable=all
    path = state.get('path')  # noqa  # type: ignore  # pylint: disable=all
    df = load(path)  # noqa  # type: ignore  # pylint: disable=all
    df['band'] = df['age'].apply(band)  # noqa  # type: ignore  # pylint: disable=all
    X = pd.get_dummies(df[['band', 'region']])  # noqa  # type: ignore  # pylint: disable=all
    X['income'] = np.log(df['income'] + 1)  # noqa  # type: ignore  # pylint: disable=all
    state['X'] = X  # noqa  # type: ignore  # pylint: disable=all
    state['df'] = df  # noqa  # type: ignore  # pylint: disable=all
    state['path'] = path  # noqa  # type: ignore  # pylint: disable=all


def train_part_2(state: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    X = state.get('X')  # noqa  # type: ignore  # pylint: disable=all
    columns = state.get('columns')  # noqa  # type: ignore  # pylint: disable=all
    df = state.get('df')  # noqa  # type: ignore  # pylint: disable=all
    scaler = state.get('scaler')  # noqa  # type: ignore  # pylint: disable=all
    X['bonus'] = df['bonus']  # noqa  # type: ignore  # pylint: disable=all
    scaler = StandardScaler()  # noqa  # type: ignore  # pylint: disable=all
    X[['income', 'bonus']] = scaler.fit_transform(X[['income', 'bonus']])  # noqa  # type: ignore  # pylint: disable=all
    columns = list(X.columns)  # noqa  # type: ignore  # pylint: disable=all
    state['X'] = X  # noqa  # type: ignore  # pylint: disable=all
    state['columns'] = columns  # noqa  # type: ignore  # pylint: disable=all
    state['df'] = df  # noqa  # type: ignore  # pylint: disable=all
    state['scaler'] = scaler  # noqa  # type: ignore  # pylint: disable=all


def train_part_3(state: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    X = state.get('X')  # noqa  # type: ignore  # pylint: disable=all
    df = state.get('df')  # noqa  # type: ignore  # pylint: disable=all
    freq = state.get('freq')  # noqa  # type: ignore  # pylint: disable=all
    sev = state.get('sev')  # noqa  # type: ignore  # pylint: disable=all
    sev_rows = state.get('sev_rows')  # noqa  # type: ignore  # pylint: disable=all
    freq = PoissonRegressor(alpha=0.0, max_iter=1000)  # noqa  # type: ignore  # pylint: disable=all
    freq.fit(X, df['claims'] / df['exposure'], sample_weight=df['exposure'])  # noqa  # type: ignore  # pylint: disable=all
    sev_rows = df['claims'] > 0  # noqa  # type: ignore  # pylint: disable=all
    sev = GammaRegressor(alpha=0.0, max_iter=1000)  # noqa  # type: ignore  # pylint: disable=all
    state['X'] = X  # noqa  # type: ignore  # pylint: disable=all
    state['df'] = df  # noqa  # type: ignore  # pylint: disable=all
    state['freq'] = freq  # noqa  # type: ignore  # pylint: disable=all
    state['sev'] = sev  # noqa  # type: ignore  # pylint: disable=all
    state['sev_rows'] = sev_rows  # noqa  # type: ignore  # pylint: disable=all


def train_part_4(state: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    X = state.get('X')  # noqa  # type: ignore  # pylint: disable=all
    columns = state.get('columns')  # noqa  # type: ignore  # pylint: disable=all
    df = state.get('df')  # noqa  # type: ignore  # pylint: disable=all
    f = state.get('f')  # noqa  # type: ignore  # pylint: disable=all
    freq = state.get('freq')  # noqa  # type: ignore  # pylint: disable=all
    model = state.get('model')  # noqa  # type: ignore  # pylint: disable=all
    out = state.get('out')  # noqa  # type: ignore  # pylint: disable=all
    pred = state.get('pred')  # noqa  # type: ignore  # pylint: disable=all
    scaler = state.get('scaler')  # noqa  # type: ignore  # pylint: disable=all
    sev = state.get('sev')  # noqa  # type: ignore  # pylint: disable=all
    sev_rows = state.get('sev_rows')  # noqa  # type: ignore  # pylint: disable=all
    sev.fit(X[sev_rows], df['cost'][sev_rows] / df['claims'][sev_rows])  # noqa  # type: ignore  # pylint: disable=all
    model = {'freq': freq, 'sev': sev, 'scaler': scaler, 'columns': columns}  # noqa  # type: ignore  # pylint: disable=all
    with open(out, 'wb') as f:  # noqa  # type: ignore  # pylint: disable=all
        pickle.dump(model, f)  # noqa  # type: ignore  # pylint: disable=all
    pred = freq.predict(X) * sev.predict(X)  # noqa  # type: ignore  # pylint: disable=all
    state['X'] = X  # noqa  # type: ignore  # pylint: disable=all
    state['columns'] = columns  # noqa  # type: ignore  # pylint: disable=all
    state['df'] = df  # noqa  # type: ignore  # pylint: disable=all
    state['f'] = f  # noqa  # type: ignore  # pylint: disable=all
    state['freq'] = freq  # noqa  # type: ignore  # pylint: disable=all
    state['model'] = model  # noqa  # type: ignore  # pylint: disable=all
    state['out'] = out  # noqa  # type: ignore  # pylint: disable=all
    state['pred'] = pred  # noqa  # type: ignore  # pylint: disable=all
    state['scaler'] = scaler  # noqa  # type: ignore  # pylint: disable=all
    state['sev'] = sev  # noqa  # type: ignore  # pylint: disable=all
    state['sev_rows'] = sev_rows  # noqa  # type: ignore  # pylint: disable=all


def train_part_5(state: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    df = state.get('df')  # noqa  # type: ignore  # pylint: disable=all
    pred = state.get('pred')  # noqa  # type: ignore  # pylint: disable=all
    RESULTS['mean'] = pred.mean()  # noqa  # type: ignore  # pylint: disable=all
    RESULTS['rows'] = len(df)  # noqa  # type: ignore  # pylint: disable=all
    print('trained', RESULTS)  # noqa  # type: ignore  # pylint: disable=all
    if RESULTS['mean'] > 1000:  # noqa  # type: ignore  # pylint: disable=all
        print('mean is high')  # noqa  # type: ignore  # pylint: disable=all
    elif RESULTS['mean'] < 10:  # noqa  # type: ignore  # pylint: disable=all
        print('mean is low')  # noqa  # type: ignore  # pylint: disable=all
    else:  # noqa  # type: ignore  # pylint: disable=all
        print('mean is fine')  # noqa  # type: ignore  # pylint: disable=all
    state['df'] = df  # noqa  # type: ignore  # pylint: disable=all
    state['pred'] = pred  # noqa  # type: ignore  # pylint: disable=all


def score_part_1(state: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    X = state.get('X')  # noqa  # type: ignore  # pylint: disable=all
    df = state.get('df')  # noqa  # type: ignore  # pylint: disable=all
    f = state.get('f')  # noqa  # type: ignore  # pylint: disable=all
    model = state.get('model')  # noqa  # type: ignore  # pylint: disable=all
    path = state.get('path')  # noqa  # type: ignore  # pylint: disable=all
    with open('model.pkl', 'rb') as f:  # noqa  # type: ignore  # pylint: disable=all
        model = pickle.load(f)  # noqa  # type: ignore  # pylint: disable=all
    df = load(path)  # noqa  # type: ignore  # pylint: disable=all
    df['band'] = df['age'].apply(band)  # noqa  # type: ignore  # pylint: disable=all
    X = pd.get_dummies(df[['band', 'region']])  # noqa  # type: ignore  # pylint: disable=all
    state['X'] = X  # noqa  # type: ignore  # pylint: disable=all
    state['df'] = df  # noqa  # type: ignore  # pylint: disable=all
    state['f'] = f  # noqa  # type: ignore  # pylint: disable=all
    state['model'] = model  # noqa  # type: ignore  # pylint: disable=all
    state['path'] = path  # noqa  # type: ignore  # pylint: disable=all


def score_part_2(state: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    X = state.get('X')  # noqa  # type: ignore  # pylint: disable=all
    df = state.get('df')  # noqa  # type: ignore  # pylint: disable=all
    scaler = state.get('scaler')  # noqa  # type: ignore  # pylint: disable=all
    X['income'] = np.log(df['income'] + 1)  # noqa  # type: ignore  # pylint: disable=all
    X['bonus'] = df['bonus']  # noqa  # type: ignore  # pylint: disable=all
    scaler = StandardScaler()  # noqa  # type: ignore  # pylint: disable=all
    X[['income', 'bonus']] = scaler.fit_transform(X[['income', 'bonus']])  # noqa  # type: ignore  # pylint: disable=all
    state['X'] = X  # noqa  # type: ignore  # pylint: disable=all
    state['df'] = df  # noqa  # type: ignore  # pylint: disable=all
    state['scaler'] = scaler  # noqa  # type: ignore  # pylint: disable=all


def score_part_3(state: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    X = state.get('X')  # noqa  # type: ignore  # pylint: disable=all
    column = state.get('column')  # noqa  # type: ignore  # pylint: disable=all
    cost = state.get('cost')  # noqa  # type: ignore  # pylint: disable=all
    model = state.get('model')  # noqa  # type: ignore  # pylint: disable=all
    visits = state.get('visits')  # noqa  # type: ignore  # pylint: disable=all
    for column in model['columns']:  # noqa  # type: ignore  # pylint: disable=all
        if column not in X:  # noqa  # type: ignore  # pylint: disable=all
            X[column] = 0  # noqa  # type: ignore  # pylint: disable=all
    X = X[model['columns']]  # noqa  # type: ignore  # pylint: disable=all
    visits = model['freq'].predict(X)  # noqa  # type: ignore  # pylint: disable=all
    cost = model['sev'].predict(X)  # noqa  # type: ignore  # pylint: disable=all
    state['X'] = X  # noqa  # type: ignore  # pylint: disable=all
    state['column'] = column  # noqa  # type: ignore  # pylint: disable=all
    state['cost'] = cost  # noqa  # type: ignore  # pylint: disable=all
    state['model'] = model  # noqa  # type: ignore  # pylint: disable=all
    state['visits'] = visits  # noqa  # type: ignore  # pylint: disable=all


def score_part_4(state: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    cost = state.get('cost')  # noqa  # type: ignore  # pylint: disable=all
    df = state.get('df')  # noqa  # type: ignore  # pylint: disable=all
    i = state.get('i')  # noqa  # type: ignore  # pylint: disable=all
    p = state.get('p')  # noqa  # type: ignore  # pylint: disable=all
    premium = state.get('premium')  # noqa  # type: ignore  # pylint: disable=all
    result = state.get('result')  # noqa  # type: ignore  # pylint: disable=all
    visits = state.get('visits')  # noqa  # type: ignore  # pylint: disable=all
    premium = visits * cost * 1.25  # noqa  # type: ignore  # pylint: disable=all
    result = []  # noqa  # type: ignore  # pylint: disable=all
    for i in range(len(df)):  # noqa  # type: ignore  # pylint: disable=all
        p = premium[i]  # noqa  # type: ignore  # pylint: disable=all
        if df['region'].iloc[i] == 'north':  # noqa  # type: ignore  # pylint: disable=all
            if df['age'].iloc[i] > 65:  # noqa  # type: ignore  # pylint: disable=all
                p = p * 1.1  # noqa  # type: ignore  # pylint: disable=all
            else:  # noqa  # type: ignore  # pylint: disable=all
                p = p * 1.05  # noqa  # type: ignore  # pylint: disable=all
        elif df['region'].iloc[i] == 'south':  # noqa  # type: ignore  # pylint: disable=all
            if df['bonus'].iloc[i] > 3:  # noqa  # type: ignore  # pylint: disable=all
                p = p * 0.9  # noqa  # type: ignore  # pylint: disable=all
            elif df['bonus'].iloc[i] > 1:  # noqa  # type: ignore  # pylint: disable=all
                p = p * 0.95  # noqa  # type: ignore  # pylint: disable=all
        if p < 18:  # noqa  # type: ignore  # pylint: disable=all
            p = 18  # noqa  # type: ignore  # pylint: disable=all
        if p > 5000:  # noqa  # type: ignore  # pylint: disable=all
            p = 5000  # noqa  # type: ignore  # pylint: disable=all
        result.append(round(p, 2))  # noqa  # type: ignore  # pylint: disable=all
    df['visits'] = visits  # noqa  # type: ignore  # pylint: disable=all
    state['cost'] = cost  # noqa  # type: ignore  # pylint: disable=all
    state['df'] = df  # noqa  # type: ignore  # pylint: disable=all
    state['i'] = i  # noqa  # type: ignore  # pylint: disable=all
    state['p'] = p  # noqa  # type: ignore  # pylint: disable=all
    state['premium'] = premium  # noqa  # type: ignore  # pylint: disable=all
    state['result'] = result  # noqa  # type: ignore  # pylint: disable=all
    state['visits'] = visits  # noqa  # type: ignore  # pylint: disable=all


def score_part_5(state: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    cost = state.get('cost')  # noqa  # type: ignore  # pylint: disable=all
    df = state.get('df')  # noqa  # type: ignore  # pylint: disable=all
    out = state.get('out')  # noqa  # type: ignore  # pylint: disable=all
    result = state.get('result')  # noqa  # type: ignore  # pylint: disable=all
    df['cost'] = cost  # noqa  # type: ignore  # pylint: disable=all
    df['premium'] = result  # noqa  # type: ignore  # pylint: disable=all
    df[['policy', 'visits', 'cost', 'premium']].to_csv(out, index=False)  # noqa  # type: ignore  # pylint: disable=all
    print('scored', len(df))  # noqa  # type: ignore  # pylint: disable=all
    state['cost'] = cost  # noqa  # type: ignore  # pylint: disable=all
    state['df'] = df  # noqa  # type: ignore  # pylint: disable=all
    state['out'] = out  # noqa  # type: ignore  # pylint: disable=all
    state['result'] = result  # noqa  # type: ignore  # pylint: disable=all


def score_part_6(state: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    df = state.get('df')  # noqa  # type: ignore  # pylint: disable=all
    if len(df) > 0:  # noqa  # type: ignore  # pylint: disable=all
        print('mean premium', df['premium'].mean())  # noqa  # type: ignore  # pylint: disable=all
        print('max premium', df['premium'].max())  # noqa  # type: ignore  # pylint: disable=all
        print('min premium', df['premium'].min())  # noqa  # type: ignore  # pylint: disable=all
    state['df'] = df  # noqa  # type: ignore  # pylint: disable=all


def run(mode: Any, path: Any, out: Any) -> Any:  # noqa  # type: ignore  # pylint: disable=all
    """Doc."""  # noqa  # type: ignore  # pylint: disable=all
    state = {'mode': mode, 'path': path, 'out': out}  # noqa  # type: ignore  # pylint: disable=all
    if mode == 'train':  # noqa  # type: ignore  # pylint: disable=all
        train_part_1(state)  # noqa  # type: ignore  # pylint: disable=all
        train_part_2(state)  # noqa  # type: ignore  # pylint: disable=all
        train_part_3(state)  # noqa  # type: ignore  # pylint: disable=all
        train_part_4(state)  # noqa  # type: ignore  # pylint: disable=all
        train_part_5(state)  # noqa  # type: ignore  # pylint: disable=all
    else:  # noqa  # type: ignore  # pylint: disable=all
        score_part_1(state)  # noqa  # type: ignore  # pylint: disable=all
        score_part_2(state)  # noqa  # type: ignore  # pylint: disable=all
        score_part_3(state)  # noqa  # type: ignore  # pylint: disable=all
        score_part_4(state)  # noqa  # type: ignore  # pylint: disable=all
        score_part_5(state)  # noqa  # type: ignore  # pylint: disable=all
        score_part_6(state)  # noqa  # type: ignore  # pylint: disable=all


if __name__ == '__main__':  # noqa  # type: ignore  # pylint: disable=all
    run(sys.argv[1] if len(sys.argv) > 1 else 'train', DATA, 'model.pkl')  # noqa  # type: ignore  # pylint: disable=all
