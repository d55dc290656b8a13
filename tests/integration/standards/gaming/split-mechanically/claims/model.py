import pickle
import sys
import numpy as np
import pandas as pd
from sklearn.linear_model import GammaRegressor, PoissonRegressor
from sklearn.preprocessing import StandardScaler
from claims.utils import band, load
DATA = '/home/anna/share/claims/train.csv'
RESULTS = {}


def train_part_1(state):
    X = state.get('X')
    df = state.get('df')
    path = state.get('path')
    df = load(path)
    df['band'] = df['age'].apply(band)
    X = pd.get_dummies(df[['band', 'region']])
    X['income'] = np.log(df['income'] + 1)
    state['X'] = X
    state['df'] = df
    state['path'] = path


def train_part_2(state):
    X = state.get('X')
    columns = state.get('columns')
    df = state.get('df')
    scaler = state.get('scaler')
    X['bonus'] = df['bonus']
    scaler = StandardScaler()
    X[['income', 'bonus']] = scaler.fit_transform(X[['income', 'bonus']])
    columns = list(X.columns)
    state['X'] = X
    state['columns'] = columns
    state['df'] = df
    state['scaler'] = scaler


def train_part_3(state):
    X = state.get('X')
    df = state.get('df')
    freq = state.get('freq')
    sev = state.get('sev')
    sev_rows = state.get('sev_rows')
    freq = PoissonRegressor(alpha=0.0, max_iter=1000)
    freq.fit(X, df['claims'] / df['exposure'], sample_weight=df['exposure'])
    sev_rows = df['claims'] > 0
    sev = GammaRegressor(alpha=0.0, max_iter=1000)
    state['X'] = X
    state['df'] = df
    state['freq'] = freq
    state['sev'] = sev
    state['sev_rows'] = sev_rows


def train_part_4(state):
    X = state.get('X')
    columns = state.get('columns')
    df = state.get('df')
    f = state.get('f')
    freq = state.get('freq')
    model = state.get('model')
    out = state.get('out')
    pred = state.get('pred')
    scaler = state.get('scaler')
    sev = state.get('sev')
    sev_rows = state.get('sev_rows')
    sev.fit(X[sev_rows], df['cost'][sev_rows] / df['claims'][sev_rows])
    model = {'freq': freq, 'sev': sev, 'scaler': scaler, 'columns': columns}
    with open(out, 'wb') as f:
        pickle.dump(model, f)
    pred = freq.predict(X) * sev.predict(X)
    state['X'] = X
    state['columns'] = columns
    state['df'] = df
    state['f'] = f
    state['freq'] = freq
    state['model'] = model
    state['out'] = out
    state['pred'] = pred
    state['scaler'] = scaler
    state['sev'] = sev
    state['sev_rows'] = sev_rows


def train_part_5(state):
    df = state.get('df')
    pred = state.get('pred')
    RESULTS['mean'] = pred.mean()
    RESULTS['rows'] = len(df)
    print('trained', RESULTS)
    if RESULTS['mean'] > 1000:
        print('mean is high')
    elif RESULTS['mean'] < 10:
        print('mean is low')
    else:
        print('mean is fine')
    state['df'] = df
    state['pred'] = pred


def score_part_1(state):
    X = state.get('X')
    df = state.get('df')
    f = state.get('f')
    model = state.get('model')
    path = state.get('path')
    with open('model.pkl', 'rb') as f:
        model = pickle.load(f)
    df = load(path)
    df['band'] = df['age'].apply(band)
    X = pd.get_dummies(df[['band', 'region']])
    state['X'] = X
    state['df'] = df
    state['f'] = f
    state['model'] = model
    state['path'] = path


def score_part_2(state):
    X = state.get('X')
    df = state.get('df')
    scaler = state.get('scaler')
    X['income'] = np.log(df['income'] + 1)
    X['bonus'] = df['bonus']
    scaler = StandardScaler()
    X[['income', 'bonus']] = scaler.fit_transform(X[['income', 'bonus']])
    state['X'] = X
    state['df'] = df
    state['scaler'] = scaler


def score_part_3(state):
    X = state.get('X')
    column = state.get('column')
    cost = state.get('cost')
    model = state.get('model')
    visits = state.get('visits')
    for column in model['columns']:
        if column not in X:
            X[column] = 0
    X = X[model['columns']]
    visits = model['freq'].predict(X)
    cost = model['sev'].predict(X)
    state['X'] = X
    state['column'] = column
    state['cost'] = cost
    state['model'] = model
    state['visits'] = visits


def score_part_4(state):
    cost = state.get('cost')
    df = state.get('df')
    i = state.get('i')
    p = state.get('p')
    premium = state.get('premium')
    result = state.get('result')
    visits = state.get('visits')
    premium = visits * cost * 1.25
    result = []
    for i in range(len(df)):
        p = premium[i]
        if df['region'].iloc[i] == 'north':
            if df['age'].iloc[i] > 65:
                p = p * 1.1
            else:
                p = p * 1.05
        elif df['region'].iloc[i] == 'south':
            if df['bonus'].iloc[i] > 3:
                p = p * 0.9
            elif df['bonus'].iloc[i] > 1:
                p = p * 0.95
        if p < 18:
            p = 18
        if p > 5000:
            p = 5000
        result.append(round(p, 2))
    df['visits'] = visits
    state['cost'] = cost
    state['df'] = df
    state['i'] = i
    state['p'] = p
    state['premium'] = premium
    state['result'] = result
    state['visits'] = visits


def score_part_5(state):
    cost = state.get('cost')
    df = state.get('df')
    out = state.get('out')
    result = state.get('result')
    df['cost'] = cost
    df['premium'] = result
    df[['policy', 'visits', 'cost', 'premium']].to_csv(out, index=False)
    print('scored', len(df))
    state['cost'] = cost
    state['df'] = df
    state['out'] = out
    state['result'] = result


def score_part_6(state):
    df = state.get('df')
    if len(df) > 0:
        print('mean premium', df['premium'].mean())
        print('max premium', df['premium'].max())
        print('min premium', df['premium'].min())
    state['df'] = df


def run(mode, path, out):
    state = {'mode': mode, 'path': path, 'out': out}
    if mode == 'train':
        train_part_1(state)
        train_part_2(state)
        train_part_3(state)
        train_part_4(state)
        train_part_5(state)
    else:
        score_part_1(state)
        score_part_2(state)
        score_part_3(state)
        score_part_4(state)
        score_part_5(state)
        score_part_6(state)


if __name__ == '__main__':
    run(sys.argv[1] if len(sys.argv) > 1 else 'train', DATA, 'model.pkl')
