# imgsort in a container: see docs/container.md.
#
#   docker build -t imgsort .
#   docker build -t imgsort:gpu --build-arg EXTRAS='[gpu]' .      NVIDIA's CUDA libraries, 3 GB more
#
# PYTHON=3.12 or 3.13 needs CONSTRAINTS= (empty): constraints.txt is of Python 3.11.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim-bookworm AS build
ARG EXTRAS=""
ARG CONSTRAINTS="-c constraints.txt"
WORKDIR /src
COPY . .
RUN python -m venv /opt/imgsort \
 && /opt/imgsort/bin/pip install --no-cache-dir ${CONSTRAINTS} ".${EXTRAS}" \
 && /opt/imgsort/bin/imgsort --version

FROM python:${PYTHON}-slim-bookworm
# The owner of your pictures, so that what is made here is yours: docker build --build-arg UID=$(id -u)
ARG UID=1000
ARG GID=1000
RUN groupadd --gid "${GID}" imgsort \
 && useradd --uid "${UID}" --gid "${GID}" --create-home imgsort \
 && install -d -o imgsort -g imgsort /photos
COPY --from=build /opt/imgsort /opt/imgsort
ENV PATH="/opt/imgsort/bin:${PATH}" \
    IMGSORT_WORKSPACE=/photos \
    PYTHONDONTWRITEBYTECODE=1
USER ${UID}:${GID}
WORKDIR /photos
VOLUME ["/photos"]
STOPSIGNAL SIGTERM
# What is in hand is filed first: give it `docker stop --time 30`.
HEALTHCHECK --interval=30s --timeout=15s --start-period=2m --retries=3 CMD ["imgsort", "health"]
ENTRYPOINT ["imgsort"]
CMD ["run"]
