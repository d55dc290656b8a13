# ---------------------------------------------------------------------------
# pricing_v7_FINAL.R      outpatient tariff: visits x cost per visit
#
#   Rscript pricing_v7_FINAL.R  TRAIN.csv  INPUT.csv  OUTPUT.csv
#
# 2003       KW   first version, replaces the rating tables
# 2006 Mar   KW   free care (coinsurance 0) gets its own step
# 2009 Nov   HM   education: deviation coding, so that "unknown" is not special
# 2011 Jun   HM   infant loading taken out again, see mail
# 2014 Feb   ext  audit: results moved between machines -> convergence tightened
# 2016 Oct   TB   AIC selection for cost, variables go by themselves
# 2019 Jan   TB   v7: 65+ stay in the last age band instead of dropping out
# ---------------------------------------------------------------------------
args  <- commandArgs(trailingOnly = TRUE)
train <- read.csv(args[1])
rows  <- read.csv(args[2])

LOADING <- 1.25                               # expenses 20 %, profit 5 %
FLOOR   <- 130                                # nobody lives on less
MINIMUM <- 18                                 # least premium, a full year
tight   <- glm.control(epsilon = 1e-16, maxit = 100)   # audit 2014

prepare <- function(d) {
  d$site   <- factor(d$site, levels = 1:6)
  # a birthday moves you up: closed on the left
  d$ageb   <- cut(d$age, c(0, 5, 18, 30, 45, Inf), right = FALSE)
  d$ageb   <- relevel(d$ageb, ref = "[18,30)")        # adults are the norm
  d$educ   <- factor(ifelse(is.na(d$education), "unknown",
                     ifelse(d$education < 12,  "basic",
                     ifelse(d$education == 12, "school", "college"))),
                     levels = c("basic", "college", "school", "unknown"))
  contrasts(d$educ) <- contr.sum(4)
  d$health <- ordered(d$health, levels = c("excellent", "good", "fair", "poor"))
  d$linc   <- log(pmax(d$income, FLOOR))
  d
}
train <- prepare(train)
rows  <- prepare(rows)

# --- how often -------------------------------------------------------------
freq <- glm(visits ~ coins + I(coins == 0) + site + ageb * female + educ +
              health + poly(chronic, 2) + linc + offset(log(exposure)),
            family = poisson, data = train, control = tight)

# --- how much: members who came, and cost something ------------------------
sv   <- subset(train, visits > 0 & cost > 0)
cap  <- quantile(sv$cost, .99)                # large claims go to the pool
sv$y <- pmin(sv$cost, cap) / sv$visits
sev  <- glm(y ~ coins + site + ageb + health + linc + scale(chronic),
            family = Gamma(link = "log"), weights = visits, data = sv,
            control = tight)
sev  <- step(sev, trace = 0)                  # TB 2016

# --- the tariff ------------------------------------------------------------
out <- data.frame(member_year = rows$member_year)
out$visits         <- predict(freq, rows, type = "response")   # with exposure
out$cost_per_visit <- predict(sev,  rows, type = "response")
prem <- out$visits * out$cost_per_visit * LOADING
# prem <- prem * ifelse(rows$age < 1, 1.10, 1)                 # infants, HM 2011
prem <- pmax(prem, MINIMUM * rows$exposure)
out$premium <- round(prem, 2)

full <- function(x) sprintf("%.17g", x)       # write.csv alone keeps 15 digits
out$visits <- full(out$visits); out$cost_per_visit <- full(out$cost_per_visit)
write.csv(out, args[3], row.names = FALSE, quote = FALSE)
if (nzchar(Sys.getenv("TARIFF_TRACE"))) {
  print(formula(sev)); print(cap, digits = 17); print(coef(freq)); print(coef(sev))
}
