import sys

from tinyport.model import main

sys.exit(main(sys.argv[1:]))
